/** The demo's mesh and a real Zipkin: what it makes of our spans, and what becomes of requests when it is in trouble. */
import { request } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sumOf } from '../../bench/peers/sidecar-metrics.ts'
import { type Answer, Load } from '../../cli/demo/load.ts'
import { DemoMesh } from '../../cli/demo/mesh.ts'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import type { ZipkinSpan } from '../../proxy/telemetry/zipkin-format.ts'
import { startZipkin, type ZipkinServer } from '../support/zipkin-server.ts'
import { type Mood, MoodyCollector } from './moody-collector.ts'
import { describeWithZipkin } from './requirements.ts'

const url = 'http://web:8080/orders'
const root = 'a2fb4a1d1a96d312'
const spansPerHop = 2
/** Batches go out once a second. */
const spansArriveMs = 20_000

/** By service: whom each calls. Both versions, as half of the requests go to each. */
const graph: readonly (readonly [string, string])[] = [
  ['client.shop', 'web.shop'],
  ['web.shop', 'catalog-v1.shop'],
  ['web.shop', 'catalog-v2.shop'],
  ['catalog-v1.shop', 'inventory.shop'],
  ['catalog-v2.shop', 'inventory.shop'],
]

let traces = 0
const newTraceId = (): string => `463ac35c9f6413ad48485a39${String(++traces).padStart(8, '0')}`

const labelOf = ({ localEndpoint, kind }: ZipkinSpan): string =>
  `${localEndpoint.serviceName} ${kind ?? 'INTERNAL'}`

/** Every span inside of the one that it is a child of: each side's own clock readings, of one machine. */
function expectNested(spans: readonly ZipkinSpan[]): void {
  const byId = new Map(spans.map((span) => [span.id, span]))
  const slackUs = 500
  for (const span of spans) {
    const parent = byId.get(span.parentId ?? '')
    for (const { timestamp } of span.annotations ?? []) {
      expect(timestamp).toBeGreaterThanOrEqual(span.timestamp)
      expect(timestamp).toBeLessThanOrEqual(span.timestamp + span.duration)
    }
    if (parent === undefined) continue
    expect(span.timestamp).toBeGreaterThanOrEqual(parent.timestamp - slackUs)
    expect(span.timestamp + span.duration).toBeLessThanOrEqual(parent.timestamp + parent.duration + slackUs)
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number
}

describeWithZipkin('a mesh and its Zipkin', () => {
  // Undefined where what comes before could not be started.
  let zipkin: ZipkinServer
  let collector: MoodyCollector
  let mesh: DemoMesh
  let load: Load

  beforeAll(async () => {
    zipkin = await startZipkin()
    collector = new MoodyCollector(zipkin.port)
    await collector.become('well')
    mesh = await DemoMesh.prepare(`http://127.0.0.1:${collector.port}`)
    await mesh.start({ v1: 50, v2: 50 })
    load = new Load(mesh.pod('client').outboundPort)
  }, 300_000)

  afterAll(async () => {
    load?.close()
    await mesh?.stop(false)
    await collector?.become('away')
    await zipkin?.stop()
  })

  /** A trace as Zipkin has it, once it has that many spans. */
  async function traceOf(id: string, spans: number): Promise<readonly ZipkinSpan[]> {
    await expect.poll(async () => (await zipkin.trace(id)).length, { timeout: spansArriveMs }).toBe(spans)
    return zipkin.trace(id)
  }

  async function ask(traceId: string): Promise<Answer> {
    const answer = await load.get(url, { traceparent: `00-${traceId}-${root}-01` })
    expect(answer.status).toBe(200)
    return answer
  }

  test('a request is one trace of every hop, each the child of the one before, its time inside', async () => {
    const id = newTraceId()
    const { apps } = await ask(id)
    const catalog = `${apps[1]?.app}.shop`
    const spans = await traceOf(id, 3 * spansPerHop)
    const chain: ZipkinSpan[] = []
    for (let parent = root; ; parent = (chain.at(-1) as ZipkinSpan).id) {
      const children = spans.filter(({ parentId }) => parentId === parent)
      if (children.length === 0) break
      expect(children).toHaveLength(1)
      chain.push(children[0] as ZipkinSpan)
    }
    expect(chain.map(labelOf)).toEqual([
      'client.shop CLIENT',
      'web.shop SERVER',
      'web.shop CLIENT',
      `${catalog} SERVER`,
      `${catalog} CLIENT`,
      'inventory.shop SERVER',
    ])
    expectNested(spans)
    // The first request asks where it goes and opens its connections: all of that is a part of its time.
    expect(chain[0]?.annotations?.map(({ value }) => value)).toEqual([
      'queue',
      'connect',
      'tls',
      'wait',
      'stream',
    ])
    for (const { tags } of chain) expect(tags).toMatchObject({ 'http.status_code': '200' })
    expect(chain[2]?.tags['weft.peer']).toBe(`spiffe://cluster.local/ns/shop/sa/${apps[1]?.app}`)
    expect(chain[2]?.tags['weft.route']).not.toBe(undefined)
  })

  test("Zipkin's graph of services is the demo's", async () => {
    for (let i = 0; i < 30; i++) await ask(newTraceId())
    const links = async (): Promise<readonly string[]> =>
      (await zipkin.dependencies()).map(({ parent, child }) => `${parent} > ${child}`).toSorted()
    const expected = graph.map(([parent, child]) => `${parent} > ${child}`).toSorted()
    await expect.poll(links, { timeout: spansArriveMs }).toEqual(expected)
  })

  test('a retry is a span beside the attempt that failed, and both are inside of one', async () => {
    await mesh.killPod('catalog-v2-a')
    const retried = (): Promise<readonly (readonly ZipkinSpan[])[]> =>
      zipkin.tracesWith('web.shop', 'weft.retries=1')
    await expect
      .poll(
        async () => {
          // Together, so that both endpoints are used.
          await Promise.all(Array.from({ length: 16 }, () => ask(newTraceId())))
          return (await retried()).length
        },
        { timeout: spansArriveMs, interval: 200 },
      )
      .toBeGreaterThan(0)
    const [first] = (await retried()) as [readonly ZipkinSpan[]]
    const { traceId } = first[0] as ZipkinSpan
    // The hops and, around two attempts instead of one, the whole.
    const spans = await traceOf(traceId, 3 * spansPerHop + 2)
    const whole = spans.find(({ tags }) => tags['weft.retries'] === '1') as ZipkinSpan
    const attempts = spans.filter(({ parentId }) => parentId === whole.id)
    expect(labelOf(whole)).toBe('web.shop INTERNAL')
    expect(attempts.map(labelOf)).toEqual(['web.shop CLIENT', 'web.shop CLIENT'])
    const [failed, answered] = attempts.toSorted((a, b) => a.timestamp - b.timestamp) as [
      ZipkinSpan,
      ZipkinSpan,
    ]
    expect(failed.tags['error']).toMatch(/^(connect|reset|tls)$/)
    expect(answered.tags).toMatchObject({ 'weft.attempt': '2', 'http.status_code': '200' })
    expect(failed.tags['weft.upstream']).not.toBe(answered.tags['weft.upstream'])
    const served = spans.filter(({ parentId }) => parentId === answered.id)
    expect(served.map(labelOf)).toEqual(['catalog-v2.shop SERVER'])
    expectNested(spans)
    await mesh.restartPod('catalog-v2-a')
  }, 60_000)

  async function spanCounts(): Promise<{
    readonly sent: number
    readonly lost: number
    readonly held: number
  }> {
    const { text } = await fetchText(mesh.pod('client').adminPort, '/metrics')
    const outcome = (name: string): number => sumOf(text, 'trace_spans_total', `outcome="${name}"`)
    return { sent: outcome('sent'), lost: outcome('lost'), held: sumOf(text, 'trace_spans_held') }
  }

  async function latenciesMs(requests: number): Promise<readonly number[]> {
    const latencies: number[] = []
    let left = requests
    await load.run(
      url,
      4,
      () => left-- > 0,
      ({ status, latencyMs }) => {
        expect(status).toBe(200)
        latencies.push(latencyMs)
      },
    )
    return latencies
  }

  /** The sidecar where traces begin. */
  async function sample(rate: number): Promise<void> {
    const { statusCode } = await request(
      `http://127.0.0.1:${mesh.pod('client').adminPort}/logging?traceSampling=${rate}`,
      { method: 'POST' },
    )
    expect(statusCode).toBe(200)
  }

  test('Zipkin away, or silent with the queue full, delays no request, and each span lost is counted', async () => {
    const rounds = 4
    const perRound = 600
    const toFill = 2_500
    const cases: readonly (readonly [name: string, mood: Mood, rate: number])[] = [
      ['untraced', 'away', 0],
      ['well', 'well', 1],
      ['away', 'away', 1],
      ['silent', 'silent', 1],
    ]
    await latenciesMs(500)
    const before = await spanCounts()
    const measured = new Map<string, number[]>(cases.map(([name]) => [name, []]))
    for (let round = 0; round < rounds; round++) {
      for (const [name, mood, rate] of round % 2 === 0 ? cases : cases.toReversed()) {
        await collector.become(mood)
        await sample(rate)
        measured.get(name)?.push(...(await latenciesMs(perRound)))
      }
    }
    await sample(1)
    await collector.become('silent')
    await latenciesMs(toFill)
    const after = await spanCounts()
    const total = ({ sent, lost, held }: typeof after): number => sent + lost + held
    // One span a request on this side, none of them forgotten.
    expect(total(after) - total(before)).toBe(rounds * (cases.length - 1) * perRound + toFill)
    expect(after.lost).toBeGreaterThan(before.lost)
    expect(after.held).toBeLessThanOrEqual(2_048)
    const at = (name: string, share: number): number =>
      quantile(
        (measured.get(name) as number[]).toSorted((a, b) => a - b),
        share,
      )
    const line = cases.map(
      ([name]) => `${name} p50 ${at(name, 0.5).toFixed(2)} p99 ${at(name, 0.99).toFixed(2)}`,
    )
    process.stdout.write(`request latency in ms: ${line.join(', ')}; ${after.lost} spans lost\n`)
    for (const name of ['away', 'silent']) {
      // Spans cost some CPU; who waited for the collector would wait for seconds.
      expect(at(name, 0.5)).toBeLessThan(at('untraced', 0.5) * 1.5 + 5)
      expect(at(name, 0.99)).toBeLessThan(at('untraced', 0.99) * 2 + 50)
    }
  }, 180_000)

  test('Zipkin back gets what is still held, and new spans', async () => {
    await collector.become('well')
    // Each sidecar leaves it alone for up to half a minute at a time, and has no room for new spans until then.
    for (const { adminPort } of mesh.pods)
      await expect
        .poll(async () => sumOf((await fetchText(adminPort, '/metrics')).text, 'trace_spans_held'), {
          timeout: 90_000,
          interval: 500,
        })
        .toBe(0)
    const id = newTraceId()
    await ask(id)
    await traceOf(id, 3 * spansPerHop)
  }, 180_000)
})
