/** What an attacker writes into requests makes no series, and no memory grows with it. */
import { afterEach, expect, it } from 'vitest'
import { createRegistry } from '../../core/metrics.ts'
import { registerDataPathMetrics } from '../../proxy/telemetry/data-path-metrics.ts'
import { type PlainDataPath, startPlainDataPath } from '../support/plain-data-path.ts'
import { RawClient } from '../support/raw-tcp.ts'

const hosts = 10_000
const pipelined = 100
let sidecar: PlainDataPath | undefined
afterEach(() => sidecar?.stop())

async function seriesCount({ dataPath }: PlainDataPath): Promise<number> {
  const registry = createRegistry('proxy')
  registerDataPathMetrics(registry, dataPath)
  const text = await registry.metrics()
  expect(text).not.toContain('attacker')
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length
}

/** A request for each host, answered all of them. */
async function attack(client: RawClient, from: number, to: number): Promise<void> {
  const requests = Array.from({ length: to - from }, (_, i) => from + i)
  client.write(
    requests.map((i) => `GET /attacker/${i} HTTP/1.1\r\nhost: attacker-${i}.test\r\n\r\n`).join(''),
  )
  await client.take((text) => text.split('HTTP/1.1 5').length > requests.length)
}

it.each(['deny', 'allow'] as const)(
  '10,000 different hosts and paths make no series (policy %s)',
  async (outboundPolicy) => {
    sidecar = await startPlainDataPath([1], {
      outboundPolicy,
      // An attacker's names lead nowhere, at once.
      resolver: { resolve: () => Promise.reject(new Error('no such name')) } as never,
    })
    const client = new RawClient(sidecar.port)
    await attack(client, 0, pipelined)
    const before = await seriesCount(sidecar)
    const sizeBefore = sidecar.dataPath.golden.size
    for (let from = pipelined; from < hosts; from += pipelined) await attack(client, from, from + pipelined)
    expect(await seriesCount(sidecar)).toBe(before)
    expect(sidecar.dataPath.golden.size).toBe(sizeBefore)
    const counted = sidecar.dataPath.golden.all().reduce((sum, { requests }) => sum + requests, 0)
    expect(counted).toBe(hosts)
    client.destroy()
  },
)
