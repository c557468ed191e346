/** What the control plane tells of live traffic agrees with the traffic; the sidecar and the control plane are the real ones. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LiveEdge, LiveMesh } from '../../api/live.ts'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { type FileMesh, startFileMesh } from '../support/file-mesh.ts'
import { until } from '../support/route-mesh.ts'
import { splitYaml, startTestControlPlane, type TestControlPlane } from '../support/running-control-plane.ts'

let mesh: FileMesh
let plane: TestControlPlane

beforeAll(async () => {
  mesh = await startFileMesh(['catalog', 'catalog-v1', 'catalog-v2'], {
    settings: ['--deployment=web'],
    answers: { 'catalog-v2': (_request, response) => void response.writeHead(500).end() },
  })
  plane = mesh.plane
  plane.write('split.yaml', splitYaml({ 'catalog-v1': 1, 'catalog-v2': 1 }))
  await mesh.untilWeights('catalog', [{ 'catalog-v1': 1, 'catalog-v2': 1 }])
})
afterAll(async () => {
  if (plane !== mesh.plane) await plane.stop()
  await mesh.stop()
})

async function read(): Promise<LiveMesh> {
  const { text } = await fetchText(plane.running.adminPort, '/live/mesh')
  return JSON.parse(text) as LiveMesh
}

function edge({ edges }: LiveMesh, apex: string, backend: string): LiveEdge | undefined {
  return edges.find((candidate) => candidate.apex.name === apex && candidate.backend.name === backend)
}

async function sendEvenly(name: string, count: number): Promise<Map<number, number>> {
  const statuses = new Map<number, number>()
  for (let i = 0; i < count; i++) {
    const { status } = await mesh.client.send(`http://${name}.shop:8080/`)
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
  return statuses
}

describe('the live picture', () => {
  test('names the sidecar, its workload and its identity', async () => {
    await until('the sidecar reports, and has enrolled', async () => {
      const [sidecar] = (await read()).sidecars
      return sidecar !== undefined && sidecar.certificateNotAfterMs !== null
    })
    const { sidecars } = await read()
    expect(sidecars[0]).toMatchObject({
      workload: { namespace: 'shop', name: 'web', kind: 'Deployment' },
      pod: 'web',
      identity: 'spiffe://cluster.local/ns/shop/sa/web',
    })
    expect(sidecars[0]?.certificateNotAfterMs).toBeGreaterThan(Date.now())
  })

  test('tells apart what was asked for and who served it', async () => {
    await sendEvenly('catalog-v2', 20)
    const statuses = await sendEvenly('catalog', 100)
    await until('both edges', async () => {
      const live = await read()
      return (
        edge(live, 'catalog', 'catalog-v2') !== undefined &&
        edge(live, 'catalog-v2', 'catalog-v2') !== undefined
      )
    })
    const live = await read()
    const [v1, v2] = ['catalog-v1', 'catalog-v2'].map((backend) => edge(live, 'catalog', backend))
    expect(v1?.successRatio).toBe(1)
    expect(v2?.successRatio).toBe(0)
    expect(edge(live, 'catalog-v2', 'catalog-v2')?.successRatio).toBe(0)
    expect(edge(live, 'catalog-v1', 'catalog-v1')).toBeUndefined()
    expect(v1?.mtlsRatio).toBe(0)
    expect(v1?.p50Ms).toBeGreaterThan(0)
    expect(statuses.get(200)).toBeGreaterThan(0)
  })

  test('agrees with a steady load within 5 %', async () => {
    const everyMs = 10
    let sent = 0
    const startedMs = performance.now()
    const load = setInterval(() => {
      // By the clock: a timer that is late would send less than was meant.
      while (sent < (performance.now() - startedMs) / everyMs) {
        sent++
        void mesh.client.send('http://catalog-v1.shop:8080/')
      }
    }, everyMs)
    try {
      const rate = async (): Promise<number> =>
        edge(await read(), 'catalog-v1', 'catalog-v1')?.requestsPerSecond ?? 0
      const meant = 1000 / everyMs
      // What was before leaves the window first.
      await until('half the rate', async () => (await rate()) > meant / 2)
      await until('the rate', async () => Math.abs((await rate()) - meant) < meant / 20)
    } finally {
      clearInterval(load)
    }
  }, 30_000)

  test('is pushed every second as server-sent events', async () => {
    const response = await fetch(`http://127.0.0.1:${plane.running.adminPort}/live/stream`)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    let text = ''
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(piece).toString()
      if (text.split('\n\n').length > 2) break
    }
    const meshes = text
      .split('\n\n')
      .slice(0, 2)
      .map((event) => JSON.parse(event.replace(/^data: /, '')) as LiveMesh)
    expect((meshes[1] as LiveMesh).atMs).toBeGreaterThan((meshes[0] as LiveMesh).atMs)
  })

  test('comes back after the control plane was away', async () => {
    const { grpcPort } = plane.running
    await plane.stop()
    await sendEvenly('catalog-v1', 10)
    plane = await startTestControlPlane({}, { folder: plane.folder, grpcPort })
    await until('the sidecar is back', async () => (await read()).sidecars.length === 1)
    await sendEvenly('catalog-v1', 10)
    await until('its load', async () => edge(await read(), 'catalog-v1', 'catalog-v1') !== undefined)
  }, 30_000)
})
