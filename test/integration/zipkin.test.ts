/** A trace through the demo's whole mesh, as a collector of Zipkin's API v2 gets it. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Load } from '../../cli/demo/load.ts'
import { DemoMesh } from '../../cli/demo/mesh.ts'
import type { ZipkinSpan } from '../../proxy/telemetry/zipkin-format.ts'

const traceId = '463ac35c9f6413ad48485a3953bb6124'
const root = 'a2fb4a1d1a96d312'

let spans: ZipkinSpan[]
let collector: http.Server
let mesh: DemoMesh
let load: Load

beforeAll(async () => {
  spans = []
  collector = http.createServer((request, response) => {
    let body = ''
    request.on('data', (piece: Buffer) => {
      body += piece.toString()
    })
    request.on('end', () => {
      if (request.method === 'POST' && request.url === '/api/v2/spans')
        spans.push(...(JSON.parse(body) as ZipkinSpan[]))
      response.writeHead(202).end()
    })
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  mesh = await DemoMesh.prepare(`http://127.0.0.1:${(collector.address() as AddressInfo).port}`)
  await mesh.start({ v1: 100, v2: 0 })
  load = new Load(mesh.pod('client').outboundPort)
}, 60_000)

afterAll(async () => {
  load.close()
  await mesh.stop(false)
  collector.close()
  collector.closeAllConnections()
})

/** Asks once, with the given headers, and waits for the six spans of its three hops. */
async function traced(headers: Readonly<Record<string, string>>): Promise<readonly ZipkinSpan[]> {
  const { status } = await load.get('http://web:8080/orders', headers)
  expect(status).toBe(200)
  const own = (): readonly ZipkinSpan[] => spans.filter((span) => span.traceId === traceId)
  await expect.poll(() => own().length, { timeout: 10_000 }).toBe(6)
  const taken = own()
  spans = spans.filter((span) => span.traceId !== traceId)
  return taken
}

/** The spans from the caller's to the last, each the child of the one before. */
function chain(all: readonly ZipkinSpan[]): readonly string[] {
  const names: string[] = []
  let parent = root
  for (;;) {
    const children = all.filter((span) => span.parentId === parent)
    if (children.length === 0) return names
    expect(children).toHaveLength(1)
    const [span] = children as [ZipkinSpan]
    names.push(`${span.localEndpoint.serviceName} ${span.kind}`)
    parent = span.id
  }
}

test.each([
  ['traceparent', { traceparent: `00-${traceId}-${root}-01` }],
  ['b3', { b3: `${traceId}-${root}-1` }],
])('every hop of a request with %s is a span, each the child of the one before', async (_format, headers) => {
  const all = await traced(headers as Record<string, string>)
  expect(chain(all)).toEqual([
    'client.shop CLIENT',
    'web.shop SERVER',
    'web.shop CLIENT',
    'catalog-v1.shop SERVER',
    'catalog-v1.shop CLIENT',
    'inventory.shop SERVER',
  ])
})

test('times are nested, and each side names the other as its certificate proved it', async () => {
  const all = await traced({ traceparent: `00-${traceId}-${root}-01` })
  const byId = new Map(all.map((span) => [span.id, span]))
  for (const span of all) {
    const parent = byId.get(span.parentId ?? '')
    expect(span.duration).toBeGreaterThan(0)
    // Clocks of one machine; a millisecond for rounding.
    expect(Math.abs(span.timestamp / 1000 - Date.now())).toBeLessThan(60_000)
    if (parent === undefined) continue
    expect(span.duration).toBeLessThanOrEqual(parent.duration + 1_000)
    expect(span.timestamp).toBeGreaterThanOrEqual(parent.timestamp - 1_000)
  }
  const of = (service: string, kind: string): ZipkinSpan | undefined =>
    all.find((span) => span.localEndpoint.serviceName === service && span.kind === kind)
  expect(of('client.shop', 'CLIENT')?.tags['weft.peer']).toBe('spiffe://cluster.local/ns/shop/sa/web')
  expect(of('inventory.shop', 'SERVER')?.tags['weft.peer']).toBe(
    'spiffe://cluster.local/ns/shop/sa/catalog-v1',
  )
  expect(of('web.shop', 'CLIENT')?.tags).toMatchObject({ 'http.status_code': '200', 'http.path': '/orders' })
})

test('a request that the caller does not want sampled leaves no span', async () => {
  const { status } = await load.get('http://web:8080/orders', { traceparent: `00-${traceId}-${root}-00` })
  expect(status).toBe(200)
  // The next one's spans come after whatever this one would have left.
  await traced({ traceparent: `00-${traceId}-${root}-01` })
})
