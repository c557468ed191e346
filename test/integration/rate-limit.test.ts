/** Rate limits, from a file through the control plane to the sidecar in front of the application. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { freePorts } from '../../cli/demo/ports.ts'
import { type HttpApplication, startHttpApplication } from '../support/http-application.ts'
import { HttpClient, type HttpRequest } from '../support/http-client.ts'
import { meshedServiceYaml } from '../support/meshed-service.ts'
import {
  removeFolder,
  startTestControlPlane,
  type TestControlPlane,
} from '../support/running-control-plane.ts'
import { type SidecarProcess, startSidecar } from '../support/sidecar-process.ts'

/** `web` and `api` send to `catalog` through their sidecars; its own sidecar listens where its EndpointSlice says. */
function meshYaml(listenPort: number, applicationPort: number): string {
  const pod = (name: string): string =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: shop}\nspec: {serviceAccountName: ${name}}\n`
  const catalog = meshedServiceYaml({ name: 'catalog', listenPort, applicationPort })
  return [pod('web'), pod('api'), catalog].join('---\n')
}

let app: HttpApplication
let plane: TestControlPlane
let catalog: SidecarProcess
const clients: Record<string, HttpClient> = {}
const sidecars: SidecarProcess[] = []
/** Where the sidecar of `catalog` is spoken to directly, without an identity. */
let direct: HttpClient

beforeAll(async () => {
  const [listenPort = 0] = await freePorts(1)
  app = await startHttpApplication('catalog')
  plane = await startTestControlPlane({ 'mesh.yaml': meshYaml(listenPort, app.port) })
  catalog = await startSidecar(plane, {
    workload: 'catalog',
    settings: ['--access-log=json', '--log-level=info'],
  })
  sidecars.push(catalog)
  for (const workload of ['web', 'api']) {
    const sidecar = await startSidecar(plane, { workload })
    sidecars.push(sidecar)
    clients[workload] = new HttpClient(sidecar.port)
  }
  direct = new HttpClient(listenPort)
})

afterAll(async () => {
  for (const client of [direct, ...Object.values(clients)]) client.close()
  for (const sidecar of sidecars) await sidecar.stop()
  await plane.stop()
  await app.stop()
  removeFolder(plane.folder)
})

async function limits(): Promise<readonly unknown[]> {
  const { text } = await fetchText(catalog.adminPort, '/config')
  const { inbound } = JSON.parse(text) as { inbound: readonly { rateLimits?: readonly unknown[] }[] }
  return inbound[0]?.rateLimits ?? []
}

/** Limits the Service, in force when this resolves; an empty text lifts the limit. */
async function limit(rateLimit: string): Promise<void> {
  const yaml = `apiVersion: weft.dev/v1alpha1\nkind: TrafficPolicy\nmetadata: {name: p, namespace: shop}\nspec: {targetRefs: [{kind: Service, name: catalog}], rateLimit: {${rateLimit}}}\n`
  const before = JSON.stringify(await limits())
  plane.write('policy.yaml', rateLimit === '' ? '' : yaml)
  const wanted = rateLimit === '' ? 0 : 1
  await expect
    .poll(
      async () =>
        (await limits()).length === wanted && (wanted === 0 || JSON.stringify(await limits()) !== before),
      {
        timeout: 10_000,
      },
    )
    .toBe(true)
}

afterEach(() => limit(''))

const url = 'http://catalog.shop:8080/x'
/** The statuses of `count` requests, one after the other. */
async function statuses(
  client: HttpClient | undefined,
  count: number,
  request: HttpRequest = {},
): Promise<number[]> {
  const seen: number[] = []
  for (let i = 0; i < count; i++) seen.push((await client?.send(url, request))?.status ?? 0)
  return seen
}

describe('a limit', () => {
  test('on everything lets a burst pass, and answers the rest 429 RL, before the application sees it', async () => {
    await limit('requestsPerSecond: 0.01, burst: 3')
    const before = app.requests
    const limited = await catalog.metric('inbound_http_local_rate_limited_total')
    expect(await statuses(clients['web'], 3)).toEqual([200, 200, 200])
    const answer = await clients['web']?.send('http://catalog.shop:8080/limited')
    expect(answer).toMatchObject({ status: 429, headers: { 'weft-error': 'RL' } })
    const retryAfter = Number(answer?.headers['retry-after'])
    expect(retryAfter).toBeGreaterThan(90)
    expect(retryAfter).toBeLessThanOrEqual(100)
    expect(await statuses(clients['api'], 1), 'whoever sends').toEqual([429])
    expect(app.requests - before).toBe(3)
    expect(await catalog.metric('inbound_http_local_rate_limited_total')).toBe(limited + 2)
    const lines = () =>
      catalog
        .log()
        .split('\n')
        .filter((line) => line.includes('/limited'))
    await expect.poll(() => lines().length).toBe(1)
    expect(JSON.parse(lines()[0] ?? '')).toMatchObject({ status: 429, flag: 'RL' })
  })

  test('gives back what its rate says', async () => {
    await limit('requestsPerSecond: 20, burst: 1')
    expect(await statuses(clients['web'], 1)).toEqual([200])
    const startedMs = performance.now()
    const elapsedMs = (): number => performance.now() - startedMs
    let passed = 0
    // For a second, or for as long as a busy machine needs to ask often enough.
    while (elapsedMs() < 1_000 || (passed < 10 && elapsedMs() < 15_000))
      if ((await clients['web']?.send(url))?.status === 200) passed++
    expect(passed).toBeGreaterThanOrEqual(10)
    expect(passed).toBeLessThanOrEqual((20 * elapsedMs()) / 1000 + 1)
  })

  test('per principal leaves each its own; those without one share theirs', async () => {
    await limit('requestsPerSecond: 0.01, burst: 2, per: principal')
    expect(await statuses(clients['web'], 3)).toEqual([200, 200, 429])
    expect(await statuses(clients['api'], 3)).toEqual([200, 200, 429])
    expect(await statuses(direct, 3)).toEqual([200, 200, 429])
  })

  test('per header leaves each value its own, and leaving it out is no way around', async () => {
    await limit('requestsPerSecond: 0.01, burst: 2, per: {header: X-User}')
    const as = (user: string): HttpRequest => ({ headers: { 'x-user': user } })
    expect(await statuses(clients['web'], 3, as('alice'))).toEqual([200, 200, 429])
    expect(await statuses(clients['api'], 1, as('alice')), 'whoever sends it').toEqual([429])
    expect(await statuses(clients['web'], 3, as('bob'))).toEqual([200, 200, 429])
    expect(await statuses(clients['web'], 3)).toEqual([200, 200, 429])
  })

  test('that changes, or goes, counts at once on connections that are open, and closes none', async () => {
    expect(await statuses(direct, 2)).toEqual([200, 200])
    const before = { opened: app.opened, closed: app.closed }
    await limit('requestsPerSecond: 0.01, burst: 1')
    expect(await statuses(direct, 2)).toEqual([200, 429])
    await limit('')
    expect(await statuses(direct, 2)).toEqual([200, 200])
    expect({ opened: app.opened, closed: app.closed }).toEqual(before)
  })

  test('that is the same after an update is not a new one', async () => {
    await limit('requestsPerSecond: 0.01, burst: 1')
    expect(await statuses(direct, 2)).toEqual([200, 429])
    plane.write(
      'policy.yaml',
      'apiVersion: weft.dev/v1alpha1\nkind: TrafficPolicy\nmetadata: {name: p, namespace: shop}\nspec: {targetRefs: [{kind: Service, name: catalog}], rateLimit: {requestsPerSecond: 0.01, burst: 1}, timeouts: {request: 5s}}\n',
    )
    await expect
      .poll(async () => (await fetchText(sidecars[1]?.adminPort ?? 0, '/config')).text, { timeout: 10_000 })
      .toContain('5000')
    expect(await statuses(direct, 1)).toEqual([429])
  })
})
