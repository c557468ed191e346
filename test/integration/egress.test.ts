/** Hosts outside of the mesh, by Services of type ExternalName, by hand-written EndpointSlices, and by nobody. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import http from 'node:http'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { meshYaml } from '../support/file-mesh.ts'
import { type HttpApplication, startHttpApplication } from '../support/http-application.ts'
import { HttpClient, type HttpRequest } from '../support/http-client.ts'
import { NameServer } from '../../proxy/dns/test-name-server.ts'
import {
  removeFolder,
  startTestControlPlane,
  type TestControlPlane,
} from '../support/running-control-plane.ts'
import { type SidecarProcess, startSidecar } from '../support/sidecar-process.ts'

/** A host outside: tells the Host that it was asked by, and answers what `x-answers` says of the same `x-id`. */
async function startOutside(): Promise<HttpApplication> {
  const counts = new Map<string, number>()
  return startHttpApplication('outside', ({ headers }, response) => {
    if (headers['x-hang'] !== undefined) return
    const id = String(headers['x-id'])
    const count = counts.get(id) ?? 0
    counts.set(id, count + 1)
    const answers = String(headers['x-answers'] ?? '200').split(',')
    response.writeHead(Number(answers[Math.min(count, answers.length - 1)]))
    response.end(`host ${headers.host}`)
  })
}

function objectYaml(apiVersion: string, kind: string, name: string, spec: object): string {
  return JSON.stringify({ apiVersion, kind, metadata: { name, namespace: 'shop' }, spec })
}
const externalYaml = (name: string, externalName: string, ports: readonly number[] = []): string =>
  objectYaml('v1', 'Service', name, {
    type: 'ExternalName',
    externalName,
    ports: ports.map((port) => ({ name: `p${port}`, port })),
  })

let names: NameServer
let outside: HttpApplication
let inside: HttpApplication
let plane: TestControlPlane
let sidecars: Readonly<Record<'allow' | 'deny', SidecarProcess>>
beforeAll(async () => {
  names = await NameServer.start()
  names.names.set('api.example', ['127.0.0.1'])
  outside = await startOutside()
  inside = await startHttpApplication('inside')
  plane = await startTestControlPlane({
    'mesh.yaml': meshYaml({ catalog: [inside.port] }),
    'pay.json': externalYaml('pay', 'api.example'),
    'later.json': externalYaml('later', 'later.example'),
    'moving.json': externalYaml('moving', 'moving.example'),
    'alias.json': externalYaml('alias', 'catalog.shop.svc.cluster.local'),
    'circle.json': externalYaml('circle', 'round.shop.svc.cluster.local'),
    'round.json': externalYaml('round', 'circle.shop.svc.cluster.local'),
    'portless.json': externalYaml('portless', 'catalog.shop.svc.cluster.local', [9]),
    'self.json': externalYaml('self', 'self.example'),
    'policy.json': objectYaml('weft.dev/v1alpha1', 'TrafficPolicy', 'pay', {
      targetRefs: [{ kind: 'Service', name: 'pay' }],
      retries: { conditions: ['gateway-error'], limit: 1 },
      timeouts: { request: '400ms' },
    }),
  })
  const start = (policy: string) =>
    startSidecar(plane, { settings: [`--dns-servers=${names.address}`, `--outbound-policy=${policy}`] })
  sidecars = { allow: await start('allow'), deny: await start('deny') }
})
afterAll(async () => {
  for (const sidecar of Object.values(sidecars)) await sidecar.stop()
  await plane.stop()
  for (const app of [outside, inside]) await app.stop()
  names.stop()
  removeFolder(plane.folder)
})

async function get(url: string, request: HttpRequest = {}, by: 'allow' | 'deny' = 'deny') {
  const client = new HttpClient(sidecars[by].port)
  const { status, headers, body } = await client.send(url, request)
  client.close()
  return { status, error: headers['weft-error'], body }
}
const at = (name: string, path = '/') => `http://${name}.shop:${outside.port}${path}`

describe('a Service of type ExternalName', () => {
  test('leads to the host that it names, on any port where it lists none, and leaves Host as it was', async () => {
    expect(await get(at('pay'))).toEqual({
      status: 200,
      error: undefined,
      body: `host pay.shop:${outside.port}`,
    })
  })

  test('is counted, retried and timed out as others are', async () => {
    const id = { 'x-id': crypto.randomUUID() }
    expect(await get(at('pay'), { headers: { ...id, 'x-answers': '503,200' } })).toMatchObject({
      status: 200,
    })
    expect(await get(at('pay'), { headers: { 'x-hang': '1' } })).toMatchObject({ status: 504, error: 'UT' })
    const labels = 'dst_service="pay"'
    expect(await sidecars.deny.metric('response_total', labels)).toBeGreaterThan(1)
    const { text } = await fetchText(sidecars.deny.adminPort, '/metrics')
    const line = text.split('\n').find((one) => one.startsWith('request_total{') && one.includes(labels))
    expect(line).toContain('tls="false"')
  })

  test('is asked by the Host that a route sets', async () => {
    plane.write(
      'route.json',
      objectYaml('gateway.networking.k8s.io/v1', 'HTTPRoute', 'pay', {
        parentRefs: [{ group: '', kind: 'Service', name: 'pay' }],
        rules: [
          {
            filters: [{ type: 'URLRewrite', urlRewrite: { hostname: 'api.example' } }],
            backendRefs: [{ name: 'pay', port: outside.port }],
          },
        ],
      }),
    )
    await expect.poll(async () => (await get(at('pay'))).body).toBe('host api.example')
  })

  test('follows its name to another address, and stays there when the name cannot be resolved any more', async () => {
    const other = http.createServer((_request, response) => response.end('moved'))
    await new Promise<void>((resolve) => other.listen(outside.port, '127.0.0.2', resolve))
    names.names.set('moving.example', ['127.0.0.1'])
    expect((await get(at('moving'))).body).toContain('host')
    names.names.set('moving.example', ['127.0.0.2'])
    await expect.poll(async () => (await get(at('moving'))).body).toBe('moved')
    names.names.delete('moving.example')
    const failures = () => sidecars.deny.metric('dns_lookups_total', 'outcome="failed"')
    const before = await failures()
    await expect.poll(failures, { timeout: 10_000 }).toBeGreaterThan(before + 1)
    expect((await get(at('moving'))).body).toBe('moved')
    other.closeAllConnections()
    other.close()
  })

  test('whose name has no address is refused at once, said in the log, and served when it has one', async () => {
    expect(await get(at('later'))).toMatchObject({ status: 503, error: 'UH' })
    await expect.poll(() => sidecars.deny.log()).toContain('later.example has no address: ENOTFOUND')
    names.names.set('later.example', ['127.0.0.1'])
    await expect.poll(async () => (await get(at('later'))).status).toBe(200)
  })

  test('that names a Service is treated as that one', async () => {
    expect(await get('http://alias.shop:8080/')).toMatchObject({ status: 200, body: 'inside' })
    expect(await sidecars.deny.metric('response_total', 'dst_service="catalog"')).toBeGreaterThan(0)
  })

  test('that leads in a circle, or to a port that is not there, fails and is reported', async () => {
    expect(await get('http://circle.shop:8080/')).toMatchObject({ status: 500 })
    expect(await get('http://portless.shop:9/')).toMatchObject({ status: 500 })
    const { text } = await fetchText(plane.running.adminPort, '/findings')
    const { findings } = JSON.parse(text) as { findings: readonly { code: string; object: string }[] }
    expect(findings.map(({ code, object }) => `${code} ${object}`)).toEqual(
      expect.arrayContaining([
        'EXTERNAL_NAME_LOOP Service shop/circle',
        'EXTERNAL_NAME_LOOP Service shop/round',
        'EXTERNAL_NAME_PORT Service shop/portless',
      ]),
    )
  })

  test('that leads back to the sidecar itself is not followed', async () => {
    names.names.set('self.example', ['127.0.0.1'])
    const { status, error } = await get(`http://self.shop:${sidecars.deny.port}/`)
    expect({ status, error }).toEqual({ status: 503, error: 'UH' })
  })

  test('is accepted as it is sent', () => {
    expect(plane.logLines.filter((line) => line.includes('RESOURCE_REJECTED'))).toEqual([])
  })
})

describe('a host that the mesh does not know', () => {
  const unknown = (i: number) => `http://unknown-${i}.example:${outside.port}/`
  const series = async (by: 'allow' | 'deny') =>
    (await fetchText(sidecars[by].adminPort, '/metrics')).text
      .split('\n')
      .filter((line) => line.includes('unknown-') || line.startsWith('request_total')).length

  test('is reached by its own name under the policy allow, and counted without it', async () => {
    for (let i = 0; i < 10; i++) names.names.set(`unknown-${i}.example`, ['127.0.0.1'])
    expect(await get(unknown(0), {}, 'allow')).toMatchObject({ status: 200 })
    const [before, count] = [await sidecars.allow.metric('outbound_passthrough_total'), await series('allow')]
    for (let i = 1; i < 10; i++) expect(await get(unknown(i), {}, 'allow')).toMatchObject({ status: 200 })
    expect(await sidecars.allow.metric('outbound_passthrough_total')).toBe(before + 9)
    expect(await series('allow')).toBe(count)
    expect(await sidecars.allow.metric('outbound_denied_total')).toBe(0)
  })

  test('is refused under the policy deny, and counted without its name', async () => {
    expect(await get(unknown(0))).toMatchObject({ status: 502, error: 'NC' })
    const [before, count] = [await sidecars.deny.metric('outbound_denied_total'), await series('deny')]
    for (let i = 1; i < 10; i++) expect(await get(unknown(i))).toMatchObject({ status: 502, error: 'NC' })
    expect(await sidecars.deny.metric('outbound_denied_total')).toBe(before + 9)
    expect(await series('deny')).toBe(count)
    expect(await sidecars.deny.metric('outbound_passthrough_total')).toBe(0)
  })

  test('does not hold up anybody else while no name server answers', async () => {
    names.silent = true
    let pending = 16
    const waiting = Array.from({ length: pending }, (_, i) =>
      get(`http://silent-${i}.example:80/`, {}, 'allow').then(({ status }) => {
        pending--
        return status
      }),
    )
    await expect
      .poll(() => names.asked.filter((name) => name.startsWith('silent-')).length)
      .toBeGreaterThan(15)
    expect(await get('http://catalog.shop:8080/', {}, 'allow')).toMatchObject({ body: 'inside' })
    expect(pending).toBe(16)
    names.silent = false
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([502]))
  })
})
