import { expect, test } from 'vitest'
import { pack } from '../../api/xds/codec.ts'
import { decodeListener, managerName } from './decode-listener.ts'
import { limitName } from './decode-rate-limit.ts'
import { faultName } from './decode-route-policy.ts'
import { Problems } from './problems.ts'

test("a destination's filters are those of its routes: one that would act for all of them is refused", () => {
  const problems = new Problems()
  const httpFilters = [
    pack(faultName, {}),
    pack(faultName, { abort: { httpStatus: 503 } }),
    pack(limitName, { statPrefix: 'l' }),
  ].map((typedConfig) => ({ typedConfig }))
  const manager = pack(managerName, { rds: { routeConfigName: 'r' }, httpFilters })
  decodeListener({ apiListener: { apiListener: manager } }, problems)
  expect(problems.list).toEqual([
    'api_listener.http_filters[1]: is not supported: routes have their own',
    'api_listener.http_filters[2]: is not supported: routes have their own',
  ])
})
