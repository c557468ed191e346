/** A mesh in a real cluster, one for all of these: what each group shows is in mesh/. Later ones go on from earlier ones. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { controlPlaneRights } from '../../deploy/manifests/roles.ts'
import { compareRights } from '../support/api-rights.ts'
import { ClusterShop, type ShopTests } from './cluster-shop.ts'
import { apiServerFaults, outageMs } from './mesh/api-server-faults.ts'
import { destinations } from './mesh/destinations.ts'
import { routes } from './mesh/routes.ts'
import { sharedTrust } from './mesh/shared-trust.ts'
import { statuses } from './mesh/statuses.ts'
import { workloadTokens } from './mesh/workload-tokens.ts'
import { testOwnServer } from './own-server.ts'

let shop: ClusterShop

beforeAll(async () => {
  shop = await ClusterShop.start()
})

afterAll(() => shop?.stop())

afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(`${shop.plane.log.slice(-8_000)}\n`)
})

const groups: Readonly<Record<string, ShopTests>> = {
  "a ServiceAccount's token": workloadTokens,
  'the trust that replicas share': sharedTrust,
  'where requests go': destinations,
  'what is said of splits and policies': statuses,
  'routes of the Gateway API': routes,
}

describe.each(Object.entries(groups))('%s', (_, tests) => {
  test.each(Object.entries(tests))('%s', (_title, show) => show(shop))
})

describe('an API server in trouble', () => {
  for (const [title, show] of Object.entries(apiServerFaults))
    testOwnServer(title, () => show(shop), outageMs + 120_000)
})

testOwnServer(
  'it did all of this with the rights that it is installed with, and every one of them was needed',
  () => {
    expect(compareRights(shop.server.audit(), controlPlaneRights(), 'weft-control-plane')).toEqual({
      lacking: [],
      unused: [],
      foreign: [],
    })
  },
)
