/** What an attacker writes into requests makes no series, and no memory grows with it. */
import { afterEach, expect, it, onTestFinished } from 'vitest'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { createRegistry } from '../../core/metrics.ts'
import { registerDataPathMetrics } from '../../proxy/telemetry/data-path-metrics.ts'
import { startHttpApplication } from '../support/http-application.ts'
import { startMeshProcesses } from '../support/mesh-processes.ts'
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

/** What is bounded by a number is as large as it gets after 4,000; the rest of the attack must add nothing. */
it('10,000 different hosts and paths take no memory that stays, in the sidecar and in its control plane', async () => {
  const app = await startHttpApplication('app')
  const mesh = await startMeshProcesses(app.port)
  onTestFinished(async () => {
    await mesh.stop()
    await app.stop()
  })
  const { sidecar, controlPlane, ports } = mesh
  const clients = Array.from({ length: 20 }, () => new RawClient(ports.outbound))
  onTestFinished(() => clients.forEach((client) => client.destroy()))
  // Side by side: the control plane is asked for each name, and many names travel in one request.
  const flood = async (from: number, to: number): Promise<void> => {
    const share = (to - from) / clients.length
    await Promise.all(
      clients.map(async (client, c) => {
        const first = from + c * share
        for (let i = first; i < first + share; i += pipelined) await attack(client, i, i + pipelined)
      }),
    )
  }
  const heaps = async (): Promise<readonly number[]> => [
    await sidecar.heapBytes(),
    await controlPlane.heapBytes(),
  ]
  await flood(0, 4_000)
  const before = await heaps()
  await flood(4_000, 4_000 + hosts)
  const grown = (await heaps()).map((bytes, i) => bytes - (before[i] as number))
  const { text } = await fetchText(ports.sidecarAdmin, '/metrics')
  expect(text).not.toContain('attacker')
  expect(Number(/^outbound_denied_total\S* (\d+)$/m.exec(text)?.[1])).toBe(4_000 + hosts)
  for (const bytes of grown) expect(bytes).toBeLessThan(1_000_000)
}, 60_000)
