/** How a cluster is balanced and limited, from a TrafficPolicy's file through control plane and sidecar to the endpoints. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { appUrl, ClusterMesh, sliceObject, slicesOf, startClusterMesh } from '../support/cluster-mesh.ts'
import { type HttpAnswer, HttpClient } from '../support/http-client.ts'
import { RawClient } from '../support/raw-tcp.ts'

const names = ['a', 'b', 'c', 'd']
/** What the applications answer just now, by name. */
const status: Record<string, number> = {}
/** Those that fail every second request. */
const half = new Set<string>()
/** While it is set, replies wait for it. */
let held: Promise<void> | undefined
let release: () => void = () => undefined

/** From now on no application replies, until `release`. */
function hold(): void {
  const gate = Promise.withResolvers<void>()
  held = gate.promise
  release = () => {
    held = undefined
    gate.resolve()
  }
}

let mesh: ClusterMesh

function untilIdle(): Promise<unknown> {
  return mesh.until('idle', ({ endpoints }) => endpoints.every(({ inFlight }) => inFlight === 0))
}

beforeAll(async () => {
  let turn = 0
  mesh = await startClusterMesh(names.length, {
    zone: 'zone-a',
    answer: (name) => (_request, response) => {
      response.statusCode = half.has(name) && ++turn % 2 === 0 ? 500 : (status[name] ?? 200)
      if (held === undefined) response.end(name)
      else void held.then(() => response.end(name))
    },
  })
})

afterAll(() => mesh.stop())

afterEach(async () => {
  for (const name of names) delete status[name]
  half.clear()
  release()
  await untilIdle()
  mesh.setPolicy({})
  mesh.setService({})
  mesh.setSlices(slicesOf(mesh.ports))
  await mesh.until(
    'as it was',
    ({ balancer, endpoints, limits, outlierDetection }) =>
      balancer === 'peak-ewma' && endpoints.length === 4 && limits === null && outlierDetection === null,
  )
  await mesh.until('in use', ({ endpoints }) => endpoints.every(({ state }) => state === 'in-use'))
})

const metric = (name: string, labels: string) => mesh.sidecar.metric(name, labels)
const counted = (name: string, labels: string) => metric(name, labels).catch(() => 0)

describe('balancer', () => {
  test.each([
    ['PeakEWMA', 'peak-ewma'],
    ['LeastRequest', 'least-request'],
    ['RoundRobin', 'round-robin'],
    ['Random', 'random'],
  ])('%s is in force, and connections are kept', async (type, kind) => {
    await mesh.tally(200)
    const opened = mesh.apps.map((app) => app.opened)
    mesh.setPolicy({ balancer: { type } })
    await mesh.untilBalancer(kind)
    const seen = await mesh.tally(200)
    expect(Object.keys(seen).toSorted()).toEqual(names)
    if (kind === 'round-robin') expect(seen).toEqual({ a: 50, b: 50, c: 50, d: 50 })
    for (const [i, app] of mesh.apps.entries()) expect(app.opened - (opened[i] as number)).toBeLessThan(8)
    expect(mesh.apps.every((app) => app.closed === 0)).toBe(true)
  })

  test.each(['RingHash', 'Maglev'])('%s keeps requests of one header together', async (type) => {
    mesh.setPolicy({ balancer: { type, hash: [{ header: 'X-User' }] } })
    await mesh.until('hashing', ({ balancer }) => balancer === (type === 'Maglev' ? 'maglev' : 'ring-hash'))
    // The route, which says what to hash, comes after the cluster.
    await expect.poll(async () => Object.keys(await mesh.tally(20, { 'X-User': 'ann' })).length).toBe(1)
    const homes = new Set<string>()
    // So many that none of four homes is left out: once in some millions of runs.
    for (let user = 0; user < 60; user++) {
      const seen = await mesh.tally(4, { 'X-User': `user-${user}` })
      expect(Object.values(seen)).toEqual([4])
      homes.add(Object.keys(seen)[0] as string)
    }
    expect(homes.size).toBe(4)
    // Without the header requests go anywhere.
    expect(Object.keys(await mesh.tally(100))).toHaveLength(4)
  })

  test('a client without the cookie is given one that leads to the same endpoint', async () => {
    mesh.setPolicy({
      balancer: { type: 'Maglev', hash: [{ cookie: { name: 'lb', ttl: '1h', path: '/' } }] },
    })
    await mesh.untilBalancer('maglev')
    // The route comes after the cluster.
    await expect
      .poll(async () => (await mesh.client.send(appUrl)).headers['set-cookie']?.[0] ?? '')
      .toMatch(/^lb=[0-9a-f-]+; Max-Age=3600; Path=\/; HttpOnly$/)
    const first = await mesh.client.send(appUrl)
    const cookie = /^[^;]+/.exec(first.headers['set-cookie']?.[0] ?? '')?.[0] ?? ''
    const again = await mesh.client.send(appUrl, { headers: { cookie } })
    expect(again.headers['set-cookie']).toBeUndefined()
    expect(await mesh.tally(20, { cookie })).toEqual({ [first.body]: 20 })
  })

  test('a Service may say it in annotations, and a TrafficPolicy beats them', async () => {
    mesh.setService({ 'balancer.weft.dev/type': 'RoundRobin' })
    await mesh.untilBalancer('round-robin')
    mesh.setPolicy({ balancer: { type: 'Random' } })
    await mesh.untilBalancer('random')
    mesh.setPolicy({ timeouts: { request: '5s' } })
    await mesh.untilBalancer('round-robin')
  })

  test('a policy that is wrong is refused, and the last good one stays', async () => {
    mesh.setPolicy({ balancer: { type: 'Random' } })
    await mesh.untilBalancer('random')
    mesh.setPolicy({ balancer: { type: 'RingHash' } })
    await expect
      .poll(() => mesh.plane.logLines.join(''))
      .toContain('TrafficPolicy shop/app spec.balancer.hash: must say what to hash')
    expect((await mesh.cluster())?.balancer).toBe('random')
    expect(Object.keys(await mesh.tally(100))).toHaveLength(4)
  })

  test('slow start gives an endpoint that joined a part of its share', async () => {
    mesh.setSlices(slicesOf(mesh.ports.slice(0, 3)))
    mesh.setPolicy({ balancer: { type: 'RoundRobin', slowStart: { window: '1h', minWeightPercent: 20 } } })
    await mesh.untilBalancer('round-robin')
    await mesh.untilEndpoints(3)
    mesh.setSlices(slicesOf(mesh.ports))
    await mesh.untilEndpoints(4)
    const { d = 0 } = await mesh.tally(320)
    // 0.2 beside three of 1.
    expect(d).toBeGreaterThanOrEqual(19)
    expect(d).toBeLessThanOrEqual(21)
  })
})

describe('zone preference', () => {
  const zones = ['zone-a', 'zone-a', 'zone-b', 'zone-b']

  test('SameZone stays in the own zone, and spills over what that cannot take', async () => {
    mesh.setSlices(slicesOf(mesh.ports, (i) => ({ zone: zones[i] as string })))
    mesh.setPolicy({
      balancer: { zonePreference: 'SameZone' },
      outlierDetection: {
        consecutiveFailures: 3,
        baseEjection: '1h',
        maxEjectionPercent: 100,
        panicPercent: 0,
      },
    })
    await mesh.until('zoned', ({ endpoints }) => endpoints.some(({ zone }) => zone === 'zone-b'))
    await expect.poll(async () => Object.keys(await mesh.tally(100)).toSorted()).toEqual(['a', 'b'])
    status['a'] = 500
    await expect.poll(async () => (await mesh.tally(20))['500'] ?? 0).toBe(0)
    // One of two is left, trusted with 1.4 times its share: 70 %.
    const seen = await mesh.tally(1_000)
    expect(seen['a']).toBeUndefined()
    expect((seen['b'] ?? 0) / 1_000).toBeGreaterThan(0.6)
    expect((seen['b'] ?? 0) / 1_000).toBeLessThan(0.8)
    expect(await metric('outbound_http_balancer_zone_picks_total', 'zone="far"')).toBeGreaterThan(200)
  })

  test('hints of EndpointSlices are followed without being asked for, and not when they are disabled', async () => {
    const hints = { forZones: [{ name: 'zone-a' }] }
    const others = { forZones: [{ name: 'zone-b' }] }
    mesh.setSlices(slicesOf(mesh.ports, (i) => ({ zone: 'elsewhere', hints: i === 3 ? hints : others })))
    await mesh.until('hinted', ({ endpoints }) => endpoints[0]?.zone === 'elsewhere')
    expect(await mesh.tally(50)).toEqual({ d: 50 })
    mesh.setPolicy({ balancer: { type: 'RoundRobin', zonePreference: 'Disabled' } })
    await expect.poll(async () => Object.keys(await mesh.tally(100)).length).toBe(4)
  })
})

describe('connection pool', () => {
  const setPool = async (connectionPool: object) => {
    mesh.setPolicy({ connectionPool })
    await mesh.until('limited', ({ limits }) => limits !== null)
  }
  /** Each over a connection of its own: nothing but the sidecar holds them back. */
  const burst = (count: number) => {
    const client = new HttpClient(mesh.sidecar.port)
    const answered: HttpAnswer[] = []
    const send = async () => void answered.push(await client.send(appUrl))
    const all = Promise.all(Array.from({ length: count }, send)).finally(() => client.close())
    return { answered, all }
  }
  const failed = (answers: readonly HttpAnswer[]) => answers.filter((answer) => answer.status !== 200)

  test('more requests than may be in flight fail at once with UO', async () => {
    await setPool({ maxRequests: 3 })
    hold()
    const before = await counted('circuit_breaker_overflows_total', 'limit="requests"')
    const { answered, all } = burst(10)
    // While the others have no reply.
    await expect.poll(() => answered.length).toBe(7)
    release()
    await all
    expect(failed(answered)).toHaveLength(7)
    for (const answer of failed(answered)) {
      expect(answer).toMatchObject({ status: 503, headers: { 'weft-error': 'UO' } })
      expect(answer.body).toContain('UPSTREAM_OVERFLOW')
    }
    expect((await metric('circuit_breaker_overflows_total', 'limit="requests"')) - before).toBe(7)
  })

  test('requests wait for one of the connections, in a queue that is bounded', async () => {
    await setPool({ maxConnections: 2, maxPending: 4, queueTimeout: '30s' })
    // Those that were kept from before are more than are allowed now.
    await burst(1).all
    hold()
    const { answered, all } = burst(12)
    await expect.poll(() => answered.length).toBe(6)
    release()
    await all
    expect(failed(answered)).toHaveLength(6)
    expect(failed(answered).every((answer) => answer.headers['weft-error'] === 'UO')).toBe(true)
    expect(await metric('circuit_breaker_overflows_total', 'limit="pending"')).toBe(6)
  })

  test('who waits too long is told so', async () => {
    await setPool({ maxConnections: 1, maxPending: 100, queueTimeout: '100ms' })
    hold()
    const { answered, all } = burst(5)
    await expect.poll(() => answered.length).toBe(4)
    release()
    await all
    expect(failed(answered)).toHaveLength(4)
    expect(failed(answered)[0]?.body).toContain('had no connection free in time')
    expect(await metric('circuit_breaker_overflows_total', 'limit="queue-timeout"')).toBe(4)
    expect((await mesh.cluster())?.waiting).toBe(0)
  })

  test('a client that leaves gives its place in the queue away', async () => {
    await setPool({ maxConnections: 1, maxPending: 1, queueTimeout: '30s' })
    hold()
    const client = new HttpClient(mesh.sidecar.port)
    const first = client.send(appUrl)
    await mesh.until('in flight', ({ endpoints }) => endpoints.some(({ inFlight }) => inFlight === 1))
    const impatient = new RawClient(mesh.sidecar.port)
    impatient.write(`GET ${appUrl} HTTP/1.1\r\nHost: app.shop:8080\r\n\r\n`)
    await mesh.until('waited for', ({ waiting }) => waiting === 1)
    // Who only ends may still wait for its reply.
    impatient.socket.resetAndDestroy()
    await mesh.until('left', ({ waiting }) => waiting === 0)
    const second = client.send(appUrl)
    await mesh.until('waited for again', ({ waiting }) => waiting === 1)
    release()
    expect([(await first).status, (await second).status]).toEqual([200, 200])
    client.close()
  })

  test('limits that are taken away let everybody go on', async () => {
    await setPool({ maxConnections: 1, maxPending: 100, queueTimeout: '30s' })
    hold()
    const { answered, all } = burst(6)
    await mesh.until('waited for', ({ waiting }) => waiting === 5)
    mesh.setPolicy({})
    // Without a single reply.
    await mesh.until('left', ({ waiting }) => waiting === 0)
    release()
    await all
    expect(failed(answered)).toEqual([])
  })
})

describe('outlier detection', () => {
  const rule = { consecutiveFailures: 3, baseEjection: '300ms', maxEjection: '2s', ejectionJitter: '0' }
  // Round robin: peak EWMA avoids an endpoint after its first failure.
  const set = async (more: object = {}) => {
    mesh.setPolicy({ outlierDetection: { ...rule, ...more }, balancer: { type: 'RoundRobin' } })
    await mesh.until('watched', ({ outlierDetection }) => outlierDetection !== null)
    await mesh.untilBalancer('round-robin')
  }
  const states = async () => (await mesh.cluster())?.endpoints.map(({ state }) => state).toSorted()

  test('leaves a failing endpoint out, tries it by one request at a time, and takes it back', async () => {
    await set()
    status['b'] = 503
    await expect.poll(async () => (await mesh.tally(10), await states())).toContain('ejected')
    const [, b] = mesh.apps
    const before = b?.requests ?? 0
    const started = performance.now()
    const seen = await mesh.tally(2_000)
    // At most one for every 300 ms.
    const probes = Math.ceil((performance.now() - started) / 300) + 1
    expect(seen['503'] ?? 0).toBeLessThanOrEqual(probes)
    expect((b?.requests ?? 0) - before).toBe(seen['503'] ?? 0)
    expect(await metric('outlier_ejections_total', 'reason="consecutive-failures"')).toBeGreaterThan(0)
    status['b'] = 200
    await expect.poll(async () => (await mesh.tally(10), await states())).toEqual(Array(4).fill('in-use'))
    expect((await mesh.tally(400))['b']).toBeGreaterThan(0)
  })

  test("counts a gateway's failures apart, and others not at all, if so configured", async () => {
    await set({ consecutiveFailures: 0, consecutiveGatewayFailures: 3 })
    status['a'] = 500
    await mesh.tally(200)
    expect(await states()).toEqual(Array(4).fill('in-use'))
    status['a'] = 502
    await expect.poll(async () => (await mesh.tally(20), await states())).toContain('ejected')
    expect(await metric('outlier_ejections_total', 'reason="consecutive-gateway-failures"')).toBeGreaterThan(
      0,
    )
  })

  test('judges by the share of successes', async () => {
    const successRate = { thresholdPercent: 80, minRequests: 3, minEndpoints: 3 }
    await set({
      consecutiveFailures: 0,
      interval: '500ms',
      baseEjection: '10s',
      maxEjection: '10s',
      successRate,
    })
    half.add('c')
    await expect.poll(async () => (await mesh.tally(200), await states())).toContain('ejected')
    expect(await metric('outlier_ejections_total', 'reason="failure-percentage"')).toBeGreaterThan(0)
  })

  test('ejects no more than its share of endpoints', async () => {
    await set({ maxEjectionPercent: 50, baseEjection: '1h', maxEjection: '1h', panicPercent: 0 })
    for (const name of names) status[name] = 500
    await mesh.tally(400)
    expect((await states())?.filter((state) => state === 'ejected')).toHaveLength(2)
    expect(await metric('outlier_ejections_spared_total', 'app.shop')).toBeGreaterThan(0)
  })

  test('with too few left it panics: everybody is used again', async () => {
    await set({ maxEjectionPercent: 100, panicPercent: 60, baseEjection: '1h', maxEjection: '1h' })
    for (const name of ['a', 'b', 'c']) status[name] = 500
    await expect.poll(async () => (await mesh.tally(50), (await mesh.cluster())?.panicking)).toBe(true)
    for (const name of ['a', 'b', 'c']) status[name] = 200
    expect(Object.keys(await mesh.tally(200)).toSorted()).toEqual(names)
    expect(await metric('outbound_http_balancer_panic', 'app.shop')).toBe(1)
  })

  test('without a panic nobody is sent to when all are out: UH', async () => {
    await set({ maxEjectionPercent: 100, panicPercent: 0, baseEjection: '1h', maxEjection: '1h' })
    for (const name of names) status[name] = 500
    const flag = async (): Promise<unknown> => {
      await mesh.tally(20)
      return (await mesh.client.send(appUrl)).headers['weft-error']
    }
    await expect.poll(flag).toBe('UH')
    const requests = mesh.apps.reduce((sum, app) => sum + app.requests, 0)
    expect(await mesh.client.send(appUrl)).toMatchObject({ status: 503 })
    expect(mesh.apps.reduce((sum, app) => sum + app.requests, 0)).toBe(requests)
    expect(await metric('outbound_http_balancer_endpoints', 'endpoint_state="ejected"')).toBe(4)
  })

  test("Linkerd's failure accrual, as annotations of the Service", async () => {
    mesh.setService({
      // In turn, so that the failing one is asked again: peak EWMA would keep away from it after its first failure.
      'balancer.weft.dev/type': 'RoundRobin',
      'balancer.weft.dev/failure-accrual': 'consecutive',
      'balancer.weft.dev/failure-accrual-consecutive-max-failures': '2',
    })
    await mesh.until('watched', ({ outlierDetection }) => outlierDetection?.consecutiveFailures?.count === 2)
    status['d'] = 500
    await expect.poll(async () => (await mesh.tally(20), await states())).toContain('ejected')
  })
})

describe('endpoints', () => {
  test('that terminate are used only while nobody is ready, and unready ones never', async () => {
    const conditions = (i: number) =>
      [
        { ready: true },
        { ready: false, serving: true, terminating: true },
        { ready: false },
        { ready: false },
      ][i] as Record<string, boolean>
    mesh.setSlices(slicesOf(mesh.ports, (i) => ({ conditions: conditions(i) })))
    await mesh.untilEndpoints(1)
    expect(await mesh.tally(20)).toEqual({ a: 20 })
    mesh.setSlices(slicesOf(mesh.ports, (i) => ({ conditions: i === 0 ? { ready: false } : conditions(i) })))
    await mesh.until(
      'down to b',
      ({ endpoints }) => endpoints[0]?.address.endsWith(`:${mesh.ports[1]}`) === true,
    )
    expect(await mesh.tally(20)).toEqual({ b: 20 })
  })

  test('with an address in each family are one, reached by whichever answers', async () => {
    const [port = 0] = mesh.ports
    const targetRef = { kind: 'Pod', name: 'web' }
    // Nothing listens on the IPv6 address: applications are on 127.0.0.1.
    mesh.setService({})
    mesh.setSlices([
      sliceObject('app-4', port, [{ addresses: ['127.0.0.1'], targetRef }]),
      sliceObject('app-6', port, [{ addresses: ['::1'], targetRef }], 'IPv6'),
    ])
    await mesh.untilEndpoints(1)
    expect(await mesh.tally(20)).toEqual({ a: 20 })
    // The first address has nobody behind it.
    mesh.setSlices([sliceObject('app-x', port, [{ addresses: ['127.0.0.99', '127.0.0.1'] }])])
    await mesh.until('moved', ({ endpoints }) => endpoints[0]?.address.startsWith('127.0.0.99') === true)
    expect(await mesh.tally(20)).toEqual({ a: 20 })
  })
})

test('two policies for one Service: the oldest counts and the other is reported', async () => {
  const policy = (name: string, type: string, year: number) =>
    `apiVersion: weft.dev/v1alpha1\nkind: TrafficPolicy\nmetadata: {name: ${name}, namespace: shop, creationTimestamp: ${year}-01-01T00:00:00Z}\nspec: {targetRefs: [{kind: Service, name: app}], balancer: {type: ${type}}}\n`
  mesh.plane.write('policy.yaml', policy('young', 'Random', 2026))
  await mesh.untilBalancer('random')
  mesh.plane.write('other.yaml', policy('old', 'RoundRobin', 2025))
  await mesh.untilBalancer('round-robin')
  const { text } = await fetchText(mesh.plane.running.adminPort, '/findings')
  expect(text).toContain('POLICY_OVERRULED')
  mesh.plane.write('other.yaml', '')
  await mesh.untilBalancer('random')
})
