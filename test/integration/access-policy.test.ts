/** Who may call whom, from files through the control plane to the sidecar in front of the application. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePorts } from '../../cli/demo/ports.ts'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { type HttpApplication, startHttpApplication } from '../support/http-application.ts'
import { type HttpAnswer, HttpClient, type HttpRequest } from '../support/http-client.ts'
import { isPrivate } from '../support/path-readings.ts'
import { proxiedPathTricks } from '../support/path-tricks.ts'
import { exchangeRaw } from '../support/raw-tcp.ts'
import {
  removeFolder,
  startTestControlPlane,
  type TestControlPlane,
} from '../support/running-control-plane.ts'
import { type SidecarProcess, startSidecar } from '../support/sidecar-process.ts'

type Yaml = Readonly<Record<string, unknown>>

function object(apiVersion: string, kind: string, name: string, rest: Yaml, metadata: Yaml = {}): string {
  return JSON.stringify({ apiVersion, kind, metadata: { name, namespace: 'shop', ...metadata }, ...rest })
}

/** `web` and `api` send to `catalog` through their sidecars; its own sidecar listens where its EndpointSlice says. */
function meshYaml(listenPort: number, applicationPort: number): string {
  const pod = (name: string, annotations: Yaml = {}): string =>
    object(
      'v1',
      'Pod',
      name,
      { spec: { serviceAccountName: name } },
      {
        labels: { app: name },
        annotations: { 'weft.dev/inject': 'enabled', ...annotations },
      },
    )
  return [
    pod('web'),
    pod('api'),
    pod('catalog', { 'config.weft.dev/inbound': `127.0.0.1:${listenPort}=${applicationPort}` }),
    object('v1', 'Service', 'catalog', { spec: { ports: [{ name: 'http', port: 8080 }] } }),
    object(
      'discovery.k8s.io/v1',
      'EndpointSlice',
      'catalog',
      {
        addressType: 'IPv4',
        ports: [{ name: 'http', port: listenPort }],
        endpoints: [
          { addresses: ['127.0.0.1'], targetRef: { kind: 'Pod', name: 'catalog', namespace: 'shop' } },
        ],
      },
      { labels: { 'kubernetes.io/service-name': 'catalog' } },
    ),
  ].join('\n---\n')
}

/** What the application saw of a request. */
type Seen = { readonly url: string; readonly headers: Readonly<Record<string, string>> }

const seenUrls: string[] = []
let app: HttpApplication
let plane: TestControlPlane
let catalog: SidecarProcess
let listenPort = 0
const clients: Record<string, HttpClient> = {}
const sidecars: SidecarProcess[] = []

beforeAll(async () => {
  ;[listenPort = 0] = await freePorts(1)
  app = await startHttpApplication('catalog', ({ url = '', headers }, response) => {
    seenUrls.push(url)
    response.end(JSON.stringify({ url, headers }))
  })
  plane = await startTestControlPlane({ 'mesh.yaml': meshYaml(listenPort, app.port) })
  const settings = ['--access-log=json', '--log-level=info', '--decision-headers=true']
  const [own, ...callers] = await Promise.all([
    startSidecar(plane, { workload: 'catalog', settings }),
    startSidecar(plane, { workload: 'web' }),
    startSidecar(plane, { workload: 'api' }),
  ])
  catalog = own
  sidecars.push(own, ...callers)
  for (const [i, workload] of ['web', 'api'].entries())
    clients[workload] = new HttpClient(callers[i]?.port ?? 0)
  // Without an identity.
  clients['clear'] = new HttpClient(listenPort)
})

afterAll(async () => {
  for (const client of Object.values(clients)) client.close()
  for (const sidecar of sidecars) await sidecar.stop()
  await plane.stop()
  await app.stop()
  removeFolder(plane.folder)
})

function send(from: string, path: string, request: HttpRequest = {}): Promise<HttpAnswer> {
  return (clients[from] as HttpClient).send(`http://catalog.shop:8080${path}`, request)
}

async function heldRules(): Promise<string> {
  const { text } = await fetchText(catalog.adminPort, '/config')
  const { inbound } = JSON.parse(text) as { readonly inbound: readonly { readonly access?: unknown }[] }
  return JSON.stringify(inbound[0]?.access ?? null)
}

/** Puts objects in force, and nothing else. */
async function inForce(...objects: readonly string[]): Promise<void> {
  const before = await heldRules()
  plane.write('access.yaml', objects.join('\n---\n'))
  await expect.poll(heldRules, { timeout: 10_000, interval: 20 }).not.toBe(before)
}

const policy = (name: string, spec: Yaml): string =>
  object('weft.dev/v1alpha1', 'AccessPolicy', name, {
    spec: { targetRefs: [{ kind: 'Service', name: 'catalog' }], ...spec },
  })

describe('an AccessPolicy', () => {
  test('lets the callers pass that it names, and names its rule in the reply, the access log and a counter', async () => {
    const rule = {
      name: 'readers',
      action: 'allow',
      from: [{ serviceAccounts: ['web'] }],
      to: [{ paths: ['/items/*'] }],
    }
    await inForce(policy('catalog', { rules: [rule] }))
    const before = app.requests
    const allowed = await send('web', '/items/7')
    expect(allowed).toMatchObject({
      status: 200,
      headers: { 'weft-rule': 'accesspolicy/shop/catalog/readers' },
    })
    for (const [from, path] of [
      ['web', '/other'],
      ['api', '/items/7'],
      ['clear', '/items/7'],
    ] as const)
      expect(await send(from, path)).toMatchObject({
        status: 403,
        headers: { 'weft-error': 'UAEX', 'weft-rule': 'accesspolicy/shop/catalog/default' },
        body: 'REQUEST_DENIED: a policy denies the request\n',
      })
    expect(app.requests - before).toBe(1)
    const labels = 'authz_kind="accesspolicy",authz_namespace="shop",authz_name="catalog"'
    expect(await catalog.metric('inbound_http_authz_allow_total', `${labels},authz_rule="readers"`)).toBe(1)
    expect(await catalog.metric('inbound_http_authz_deny_total', `${labels},authz_rule="default"`)).toBe(3)
    expect(
      await catalog.metric(
        'inbound_http_authz_deny_total',
        'client_id="spiffe://cluster.local/ns/shop/sa/api"',
      ),
    ).toBe(1)
    const line = () =>
      catalog
        .log()
        .split('\n')
        .find((text) => text.includes('"path":"/other"'))
    await expect.poll(line).toBeDefined()
    expect(JSON.parse(line() ?? '')).toMatchObject({
      status: 403,
      flag: 'UAEX',
      rule: 'accesspolicy/shop/catalog/default',
    })
  })

  test('that denies wins over one that allows', async () => {
    await inForce(
      policy('a', { rules: [{ name: 'all', action: 'allow' }] }),
      policy('b', { rules: [{ name: 'no-writes', action: 'deny', to: [{ methods: ['POST'] }] }] }),
    )
    expect(await send('api', '/x')).toMatchObject({ status: 200 })
    expect(await send('api', '/x', { method: 'POST', body: 'y' })).toMatchObject({
      status: 403,
      headers: { 'weft-rule': 'accesspolicy/shop/b/no-writes' },
    })
  })

  test('that audits changes nothing, and tells what it would have met', async () => {
    await inForce(policy('a', { rules: [{ name: 'trial', action: 'audit', to: [{ paths: ['/old'] }] }] }))
    const { headers } = await send('api', '/old')
    expect(headers['weft-audit-rule']).toBe('accesspolicy/shop/a/trial')
    expect((await send('api', '/new')).headers['weft-audit-rule']).toBeUndefined()
    expect(await catalog.metric('inbound_http_authz_audit_total', 'authz_rule="trial"')).toBe(1)
  })

  test('that is strict refuses what comes in clear, on connections that stand as well, and bytes of any protocol', async () => {
    expect(await send('clear', '/x')).toMatchObject({ status: 200 })
    await inForce(policy('a', { mtls: { mode: 'strict' } }))
    const rule = 'accesspolicy/shop/a/mtls'
    expect(await send('clear', '/x')).toMatchObject({ status: 403, headers: { 'weft-rule': rule } })
    expect(await send('web', '/x')).toMatchObject({ status: 200 })
    const { text, closed } = await exchangeRaw(listenPort, ['\0\x01 no HTTP\r\n'])
    expect({ text, closed }).toEqual({ text: '', closed: true })
    await expect
      .poll(() => catalog.log())
      .toMatch(new RegExp(`"protocol":"tcp".*"rule":"${rule}".*"flag":"UAEX"`))
    expect(await catalog.metric('inbound_tcp_authz_deny_total', 'authz_rule="mtls"')).toBe(1)
    await inForce(policy('a', { mtls: { mode: 'strict', ports: [{ port: app.port, mode: 'permissive' }] } }))
    expect(await send('clear', '/x')).toMatchObject({ status: 200 })
  })

  test('that looks at paths refuses those that can be read in two ways, and sends the others on as they are read', async () => {
    await inForce(policy('a', { rules: [{ name: 'r', action: 'deny', to: [{ paths: ['/private/*'] }] }] }))
    expect(await send('api', '/a%2fb')).toMatchObject({ status: 400, headers: { 'weft-error': 'DPE' } })
    const seen = JSON.parse((await send('api', '/a//b/%2e/%63?d=//e')).body) as Seen
    expect(seen.url).toBe('/a/b/c?d=//e')
  })
})

test('nothing gets around it between two sidecars that would not in clear', async () => {
  await inForce(
    policy('a', {
      default: 'allow',
      rules: [{ name: 'private', action: 'deny', to: [{ paths: ['/private/*'] }] }],
    }),
  )
  const before = seenUrls.length
  for (const { send } of proxiedPathTricks('/public', 'catalog.shop:8080')) await send(sidecars[1]?.port ?? 0)
  const urls = seenUrls.slice(before)
  expect(urls.length).toBeGreaterThan(10)
  expect(urls.filter(isPrivate)).toEqual([])
})

test('a TrafficTarget allows its sources, and the rest is denied', async () => {
  await inForce(
    object('specs.smi-spec.io/v1alpha4', 'HTTPRouteGroup', 'routes', {
      spec: { matches: [{ name: 'items', pathRegex: '/items', methods: ['GET'] }] },
    }),
    object('access.smi-spec.io/v1alpha3', 'TrafficTarget', 'target', {
      spec: {
        destination: { kind: 'ServiceAccount', name: 'catalog', namespace: 'shop' },
        rules: [{ kind: 'HTTPRouteGroup', name: 'routes' }],
        sources: [{ kind: 'ServiceAccount', name: 'web', namespace: 'shop' }],
      },
    }),
  )
  expect(await send('web', '/items/1')).toMatchObject({
    status: 200,
    headers: { 'weft-rule': 'traffictarget/shop/target' },
  })
  for (const [from, path, method] of [
    ['web', '/other', 'GET'],
    ['web', '/items/1', 'POST'],
    ['api', '/items/1', 'GET'],
  ] as const)
    expect(await send(from, path, { method })).toMatchObject({ status: 403 })
})

test('a TrafficTarget means those whom its IdentityBindings mean, by labels and by SPIFFE id', async () => {
  const binding = (name: string, schemes: Yaml): string =>
    object('access.smi-spec.io/v1alpha4', 'IdentityBinding', name, { spec: { schemes } })
  const bound = (name: string) => ({ kind: 'IdentityBinding', group: 'access.smi-spec.io', name })
  await inForce(
    object('specs.smi-spec.io/v1alpha4', 'HTTPRouteGroup', 'routes', {
      spec: { matches: [{ name: 'items', pathRegex: '/bound' }] },
    }),
    binding('served', { podLabelSelectors: [{ matchLabels: { app: 'catalog' } }] }),
    binding('readers', { spiffeIdentities: ['cluster.local/ns/shop/sa/api'] }),
    object('access.smi-spec.io/v1alpha4', 'TrafficTarget', 'target', {
      spec: {
        destination: bound('served'),
        rules: [{ kind: 'HTTPRouteGroup', name: 'routes' }],
        sources: [bound('readers')],
      },
    }),
  )
  expect(await send('api', '/bound')).toMatchObject({ status: 200 })
  for (const from of ['web', 'clear']) expect(await send(from, '/bound')).toMatchObject({ status: 403 })
})

test('the application is told who its client is, and by nobody else', async () => {
  const forged = {
    'X-Forwarded-Client-Cert': 'URI=spiffe://evil',
    'Weft-Client-Id': 'spiffe://evil',
    // The same to an application that knows fields as CGI writes them.
    x_forwarded_client_cert: 'URI=spiffe://evil',
    weft_client_id: 'spiffe://evil',
    connection: 'weft-client-id, x-forwarded-client-cert',
  }
  await inForce(policy('a', { default: 'allow' }))
  const seenFrom = async (from: string): Promise<Seen['headers']> =>
    (JSON.parse((await send(from, '/x', { headers: forged })).body) as Seen).headers
  const web = 'spiffe://cluster.local/ns/shop/sa/web'
  const seen = await seenFrom('web')
  expect(seen['weft-client-id']).toBe(web)
  expect(seen['x-forwarded-client-cert']).toMatch(
    new RegExp(`^By=spiffe://cluster.local/ns/shop/sa/catalog;Hash=[0-9a-f]{64};URI=${web}$`),
  )
  const clear = await seenFrom('clear')
  for (const headers of [seen, clear]) expect(JSON.stringify(headers)).not.toContain('evil')
  expect([clear['weft-client-id'], clear['x-forwarded-client-cert']]).toEqual([undefined, undefined])
})
