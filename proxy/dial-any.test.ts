import { expect, test } from 'vitest'
import { endpointConfigs, testCluster } from './cluster/test-clusters.ts'
import { dialAny } from './dial-any.ts'
import type { Wire } from './listen/wire.ts'
import { UpstreamFailure } from './upstream-failure.ts'

const wire = {} as Wire
const refused = new UpstreamFailure('connect', 'refused')

function dialling(alive: readonly string[]) {
  const dialled: string[] = []
  const { cluster } = testCluster(endpointConfigs([1, 1, 1, 1]))
  const dial = ({ config: { address } }: (typeof cluster.endpoints)[number]) => {
    dialled.push(address)
    return alive.includes(address) ? Promise.resolve(wire) : Promise.reject(refused)
  }
  return { cluster, dialled, connect: (nowMs = 0) => dialAny(cluster, dial, () => nowMs) }
}

test('endpoints that do not accept are passed over, and left out afterwards', async () => {
  const { cluster, dialled, connect } = dialling(['10.0.0.1', '10.0.0.2'])
  for (let i = 0; i < 50; i++) expect((await connect()).wire).toBe(wire)
  expect(dialled.filter((address) => address === '10.0.0.3')).toHaveLength(1)
  expect(cluster.endpoints.filter(({ health }) => health.inUse)).toHaveLength(2)
})

test('no more than three are tried for one connection, each once', async () => {
  const { dialled, connect } = dialling([])
  await expect(connect()).rejects.toBe(refused)
  expect(new Set(dialled).size).toBe(3)
  expect(dialled).toHaveLength(3)
})

test('a cluster without endpoints has nobody to dial', async () => {
  const { cluster } = testCluster([])
  await expect(
    dialAny(
      cluster,
      () => Promise.resolve(wire),
      () => 0,
    ),
  ).rejects.toMatchObject({
    kind: 'no-endpoint',
  })
})
