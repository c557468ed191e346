/** A stock Envoy under our control plane, beside a sidecar: both serve the same requests alike. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LiveMesh } from '../../api/live.ts'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { type StatRow, statRows } from '../../cli/stat.ts'
import { type EnvoyProcess, startEnvoy } from '../support/envoy-process.ts'
import { type GatewayMesh, startGatewayMesh } from '../support/gateway-mesh.ts'
import { HttpClient, type HttpRequest } from '../support/http-client.ts'
import { ref } from '../support/route-mesh.ts'
import { describeWithEnvoy } from './requirements.ts'

const nameOf = (service: string) => `${service}.shop:8080`
const services = ['routed', 'apex', 'retried', 'timed', 'faulty', 'ejecting', 'balanced', 'nobody', 'limited']

const rules = {
  rules: [
    { matches: [{ path: { type: 'Exact', value: '/exact' } }], backendRefs: [ref('v1')] },
    { matches: [{ path: { value: '/v2' } }], backendRefs: [ref('v2')] },
    { matches: [{ path: { type: 'RegularExpression', value: '/re/[0-9]+' } }], backendRefs: [ref('v2')] },
    {
      matches: [{ path: { value: '/' }, headers: [{ name: 'x-version', value: '2' }] }],
      backendRefs: [ref('v2')],
    },
    {
      matches: [
        {
          path: { value: '/' },
          headers: [{ type: 'RegularExpression', name: 'x-user', value: 'a.*' }],
          method: 'POST',
        },
      ],
      backendRefs: [ref('v2')],
    },
    {
      matches: [{ path: { value: '/' }, queryParams: [{ name: 'q', value: 'two' }] }],
      backendRefs: [ref('v2')],
    },
    {
      matches: [{ path: { value: '/headers' } }],
      filters: [
        {
          type: 'RequestHeaderModifier',
          requestHeaderModifier: {
            set: [{ name: 'x-set', value: '100%' }],
            add: [{ name: 'x-add', value: 'more' }],
            remove: ['x-gone'],
          },
        },
        {
          type: 'ResponseHeaderModifier',
          responseHeaderModifier: { set: [{ name: 'x-app', value: 'hidden' }], remove: ['x-extra'] },
        },
      ],
      backendRefs: [
        ref('v1', {
          filters: [
            {
              type: 'RequestHeaderModifier',
              requestHeaderModifier: { add: [{ name: 'x-backend', value: 'v1' }] },
            },
          ],
        }),
      ],
    },
    {
      matches: [{ path: { value: '/redirect' } }],
      filters: [
        {
          type: 'RequestRedirect',
          requestRedirect: {
            hostname: 'example.com',
            statusCode: 301,
            path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/new' },
          },
        },
      ],
    },
    {
      matches: [{ path: { value: '/rewrite' } }],
      filters: [
        {
          type: 'URLRewrite',
          urlRewrite: {
            hostname: 'inner.example',
            path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' },
          },
        },
      ],
      backendRefs: [ref('v1')],
    },
    {
      matches: [{ path: { value: '/whole' } }],
      filters: [
        {
          type: 'URLRewrite',
          urlRewrite: { path: { type: 'ReplaceFullPath', replaceFullPath: '/one' } },
        },
      ],
      backendRefs: [ref('v1')],
    },
    {
      matches: [{ path: { value: '/mirrored' } }],
      filters: [{ type: 'RequestMirror', requestMirror: { backendRef: ref('shadow') } }],
      backendRefs: [ref('v1')],
    },
    {
      matches: [{ path: { value: '/shares' } }],
      backendRefs: [
        ref('v1', {
          weight: 1,
          filters: [
            {
              type: 'URLRewrite',
              urlRewrite: { path: { type: 'ReplaceFullPath', replaceFullPath: '/first' } },
            },
          ],
        }),
        ref('v2', { weight: 3 }),
      ],
    },
    ...Object.entries({
      '/to-scheme': { scheme: 'https' },
      '/to-port': { port: 8443 },
      '/to-path': { path: { type: 'ReplaceFullPath', replaceFullPath: '/x' }, statusCode: 303 },
      '/to-root': { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' }, statusCode: 307 },
      '/to-host': { hostname: 'example.com', scheme: 'http', port: 80, statusCode: 308 },
    }).map(([value, requestRedirect]) => ({
      matches: [{ path: { value } }],
      filters: [{ type: 'RequestRedirect', requestRedirect }],
    })),
    ...Object.entries({ '/slash/': '/new/', '/longer': '/much/longer', '/deep/er': '' }).map(
      ([value, to]) => ({
        matches: [{ path: { value } }],
        filters: [
          {
            type: 'URLRewrite',
            urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: to } },
          },
        ],
        backendRefs: [ref('v1')],
      }),
    ),
    {
      matches: [{ path: { value: '/attempt' } }],
      backendRefs: [ref('slow')],
      timeouts: { request: '2s', backendRequest: '100ms' },
    },
    { matches: [{ path: { value: '/invalid' } }], backendRefs: [ref('missing')] },
    { matches: [{ path: { value: '/nobody' } }], backendRefs: [ref('nobody')] },
    { matches: [{ path: { value: '/timed' } }], backendRefs: [ref('slow')], timeouts: { request: '200ms' } },
  ],
}

const policies: Readonly<Record<string, object>> = {
  retried: { retries: { conditions: ['gateway-error'], statusCodes: ['418'], limit: 2 } },
  timed: { timeouts: { request: '200ms' } },
  faulty: {
    fault: {
      abort: { status: 418, percent: 100 },
      headers: [{ name: 'x-fault', value: 'yes' }],
    },
  },
  ejecting: { outlierDetection: { consecutiveFailures: 3, maxEjectionPercent: 50, panicPercent: 0 } },
  limited: {
    connectionPool: { maxRequests: 1 },
    timeouts: { perTry: '5s', idle: '5s' },
  },
}

describeWithEnvoy('a stock Envoy', () => {
  let mesh: GatewayMesh
  let envoys: Readonly<Record<'DELTA_GRPC' | 'GRPC', EnvoyProcess>>
  beforeAll(async () => {
    mesh = await startGatewayMesh({
      one: ['v1', 'v2', 'shadow', 'retried', 'faulty', 'limited'],
      several: { ejecting: ['fine', 'failing'], balanced: ['left', 'right', 'middle'] },
      slow: ['slow', 'timed'],
      empty: ['nobody', 'routed', 'apex'],
    })
    mesh.split('apex', { v1: 9, v2: 1 })
    mesh.route('routed', rules)
    mesh.external('outside', 'localhost')
    for (const [service, spec] of Object.entries(policies)) mesh.policy(service, spec)
    const names = [...services.map(nameOf), outside()]
    envoys = {
      DELTA_GRPC: await startEnvoy(mesh.plane, 'DELTA_GRPC', names),
      GRPC: await startEnvoy(mesh.plane, 'GRPC', names),
    }
  })
  afterAll(async () => {
    await Promise.all(Object.values(envoys ?? {}).map((envoy) => envoy.stop()))
    await mesh?.stop()
  })

  /** The host outside, on the port of an application. */
  const outside = () => `outside.shop:${mesh.portOf('v1')}`

  const clientOf = (by: string, service: string): HttpClient =>
    new HttpClient(
      by === 'sidecar' ? mesh.sidecar.port : (envoys[by as 'GRPC'].ports[nameOf(service)] as number),
    )

  /** What came of a request: what the client got, and what the applications saw. */
  async function outcome(by: string, service: string, path: string, request: HttpRequest = {}) {
    mesh.log.length = 0
    const client = clientOf(by, service)
    const headers = { 'x-id': crypto.randomUUID(), ...request.headers }
    const answer = await client.send(`http://${nameOf(service)}${path}`, { ...request, headers })
    client.close()
    const { status, headers: got } = answer
    const wanted = ['host', 'x-set', 'x-add', 'x-gone', 'x-kept', 'x-backend']
    return {
      status,
      // Envoy writes the port of https where it has to take another one away.
      location: got['location']?.replace(/^(https:.*):443\//, '$1/'),
      app: got['x-app'],
      extra: got['x-extra'],
      seen: mesh.log
        .map(({ app, method, target, headers: sent, body }) => ({
          app,
          method,
          target,
          body,
          headers: Object.fromEntries(wanted.map((name) => [name, sent[name]])),
        }))
        .toSorted((a, b) => a.app.localeCompare(b.app)),
    }
  }

  const rejected = async () => {
    const found = await Promise.all(Object.values(envoys).map((envoy) => envoy.stats('update_rejected')))
    return Object.entries(Object.assign({}, ...found) as object).filter(([, count]) => count > 0)
  }
  const refusals = () => mesh.plane.logLines.filter((line) => line.includes('RESOURCE_REJECTED'))

  const protocols = ['DELTA_GRPC', 'GRPC'] as const
  const everyone = ['sidecar', ...protocols] as const

  test('has what is written in the folder, by either protocol', async () => {
    for (const by of everyone)
      await expect
        .poll(async () => (await outcome(by, 'routed', '/nothing')).status, { timeout: 30_000 })
        .toBe(404)
    for (const by of everyone) expect(await outcome(by, 'apex', '/')).toMatchObject({ status: 200 })
  })

  const x = (name: string, value: string): HttpRequest => ({ headers: { [name]: value } })
  const requests: readonly [
    name: string,
    service: string,
    path: string,
    request: HttpRequest,
    status: number,
  ][] = [
    ['an exact path', 'routed', '/exact', {}, 200],
    ['a path below an exact one', 'routed', '/exact/below', {}, 404],
    ['a prefix', 'routed', '/v2', {}, 200],
    ['a prefix with more', 'routed', '/v2/a?b=c', {}, 200],
    ['what only begins like a prefix', 'routed', '/v20', {}, 404],
    ['a regex', 'routed', '/re/12', {}, 200],
    ['what only begins like a regex', 'routed', '/re/12/x', {}, 404],
    ['a header', 'routed', '/a', x('x-version', '2'), 200],
    ['another value of a header', 'routed', '/a', x('x-version', '22'), 404],
    [
      'a regex of a header, and a method',
      'routed',
      '/a',
      { method: 'POST', body: 'body', ...x('x-user', 'abc') },
      200,
    ],
    ['another method', 'routed', '/a', x('x-user', 'abc'), 404],
    ['a query parameter', 'routed', '/a?p=1&q=two', {}, 200],
    ['another value of a query parameter', 'routed', '/a?q=three', {}, 404],
    [
      'headers set, added and removed',
      'routed',
      '/headers',
      { headers: { 'x-set': 'a', 'x-add': 'b', 'x-gone': 'c', 'x-kept': 'd' } },
      200,
    ],
    ['a redirect', 'routed', '/redirect/a?b=c', {}, 301],
    ['a rewrite of host and path', 'routed', '/rewrite/a?b=c', {}, 200],
    ['a rewrite to nothing', 'routed', '/rewrite', {}, 200],
    ['a rewrite of the whole path', 'routed', '/whole/a?b=c', {}, 200],
    ['a redirect to another scheme', 'routed', '/to-scheme/a', {}, 302],
    ['a redirect to another port', 'routed', '/to-port/a?b', {}, 302],
    ['a redirect to another path', 'routed', '/to-path/a?b=c', {}, 303],
    ['a redirect to the root', 'routed', '/to-root/a?b=c', {}, 307],
    ['a redirect to the root alone', 'routed', '/to-root', {}, 307],
    ['a redirect with everything', 'routed', '/to-host/a', {}, 308],
    ['a rewrite between slashes', 'routed', '/slash/a', {}, 200],
    ['a rewrite of a prefix without its slash', 'routed', '/slash', {}, 200],
    ['a rewrite of a prefix and its slash', 'routed', '/slash/', {}, 200],
    ['a rewrite to something longer', 'routed', '/longer/a/', {}, 200],
    ['a rewrite of all there is', 'routed', '/longer', {}, 200],
    ['a rewrite to nothing at all', 'routed', '/deep/er/a', {}, 200],
    ['a rewrite of several elements alone', 'routed', '/deep/er?a', {}, 200],
    ['escaped characters', 'routed', '/v2/a%20b%2Fc?d=%26', {}, 200],
    ['empty elements', 'routed', '/v2//a/../b', {}, 200],
    ['the timeout of an attempt', 'routed', '/attempt', {}, 504],
    ['HEAD', 'routed', '/v2', { method: 'HEAD' }, 200],
    ['a backend that does not exist', 'routed', '/invalid', {}, 500],
    ['a backend without endpoints', 'routed', '/nobody', {}, 503],
    ['a service without endpoints', 'nobody', '/', {}, 503],
    ['the timeout of a route', 'routed', '/timed', {}, 504],
    ['the timeout of a policy', 'timed', '/', {}, 504],
    ['no retry of what is not asked for', 'retried', '/', x('x-answers', '500,200'), 500],
    ['a retry by condition', 'retried', '/', x('x-answers', '503,200'), 200],
    ['a retry by status', 'retried', '/', x('x-answers', '418,200'), 200],
    ['retries to the last', 'retried', '/', x('x-answers', '503,502,200'), 200],
    ['no retry beyond the limit', 'retried', '/', x('x-answers', '503,502,504,200'), 504],
    [
      'a retry of a body',
      'retried',
      '/',
      { method: 'POST', body: 'again', ...x('x-answers', '503,200') },
      200,
    ],
    ['a fault', 'faulty', '/', x('x-fault', 'yes'), 418],
    ['no fault without the header', 'faulty', '/', {}, 200],
  ]
  test.each(requests)('does the same as a sidecar with %s', async (_name, service, path, request, status) => {
    const expected = await outcome('sidecar', service, path, request)
    expect(expected.status).toBe(status)
    for (const by of protocols) expect(await outcome(by, service, path, request)).toEqual(expected)
  })

  test('copies requests to a mirror as a sidecar does', async () => {
    for (const by of everyone) {
      await outcome(by, 'routed', '/mirrored/a', { method: 'POST', body: 'copied' })
      await expect.poll(() => mesh.log.map(({ app }) => app).toSorted()).toEqual(['shadow', 'v1'])
      expect(
        new Set(mesh.log.map(({ target, body, headers }) => `${target} ${body} ${headers['host']}`)).size,
      ).toBe(1)
    }
  })

  /** How many of `count` requests each application got, and under which target. */
  async function shares(by: string, service: string, path: string, count: number) {
    mesh.log.length = 0
    const client = clientOf(by, service)
    for (let i = 0; i < count; i++) await client.send(`http://${nameOf(service)}${path}`)
    client.close()
    return Object.fromEntries(
      [...Map.groupBy(mesh.log, ({ app, target }) => `${app} ${target}`)].map(([key, seen]) => [
        key,
        seen.length,
      ]),
    )
  }

  test('divides requests by the weights of a split, and follows them', async () => {
    for (const by of everyone) {
      const { 'v2 /': second = 0 } = await shares(by, 'apex', '/', 1_000)
      // Five standard deviations.
      expect(Math.abs(second - 100)).toBeLessThan(48)
    }
    for (const weights of [{ v1: 0, v2: 1 }, { v1: 1, v2: 0 }, { v2: 1 }, { shadow: 1 }]) {
      mesh.split('apex', weights)
      const [to] = Object.entries(weights).find(([, weight]) => weight > 0) as [string, number]
      for (const by of everyone)
        await expect.poll(() => shares(by, 'apex', '/', 20), { timeout: 30_000 }).toEqual({ [`${to} /`]: 20 })
    }
    mesh.split('apex', { v1: 9, v2: 1 })
  })

  test('divides requests by the weights of a route whose backends rewrite the path', async () => {
    for (const by of everyone) {
      const { 'v1 /first': first = 0, ...rest } = await shares(by, 'routed', '/shares', 400)
      expect(rest).toEqual({ 'v2 /shares': 400 - first })
      expect(Math.abs(first - 100)).toBeLessThan(44)
    }
  })

  test('reaches a host outside by its name', async () => {
    for (const by of everyone) {
      const port = by === 'sidecar' ? mesh.sidecar.port : envoys[by].ports[outside()]
      const client = new HttpClient(port as number)
      mesh.log.length = 0
      expect((await client.send(`http://${outside()}/`)).headers['x-app']).toBe('v1')
      expect(mesh.log.map(({ headers }) => headers['host'])).toEqual([outside()])
      client.close()
    }
  })

  test('leaves out an endpoint that fails', async () => {
    for (const by of everyone) {
      await shares(by, 'ejecting', '/', 20)
      // Envoy's workers are told by its main thread.
      await expect.poll(() => shares(by, 'ejecting', '/', 50), { message: by }).toEqual({ 'fine /': 50 })
    }
  })

  test('loses no request while weights change under load', async () => {
    for (const by of protocols) {
      const client = clientOf(by, 'apex')
      const answers = new Map<number, number>()
      let changing = true
      const load = client.run(
        `http://${nameOf('apex')}/`,
        4,
        () => changing,
        ({ status }) => answers.set(status, (answers.get(status) ?? 0) + 1),
      )
      for (const to of ['v1', 'v2', 'shadow', 'v1', 'v2', 'shadow']) {
        mesh.split('apex', { [to]: 1 })
        await expect
          .poll(() => mesh.log.slice(-8).every(({ app }) => app === to), { timeout: 30_000 })
          .toBe(true)
      }
      changing = false
      await load
      client.close()
      expect([...answers.keys()]).toEqual([200])
    }
  })

  /** How many endpoints of `balanced` get the requests of one user. */
  async function spread(by: string): Promise<number> {
    const client = clientOf(by, 'balanced')
    const headers = { 'x-user': 'somebody', cookie: 'user=somebody' }
    const seen = new Set<unknown>()
    for (let i = 0; i < 40; i++) {
      const { status, headers: got } = await client.send(`http://${nameOf('balanced')}/`, { headers })
      expect(status).toBe(200)
      seen.add(got['x-app'])
    }
    client.close()
    return seen.size
  }

  const balancers = [
    '{"type":"PeakEWMA","slowStart":{"window":"10s"}}',
    '{"type":"LeastRequest","leastRequest":{"choices":3}}',
    '{"type":"RoundRobin","zonePreference":"SameZone"}',
    '{"type":"Random"}',
    '{"type":"RingHash","hash":[{"header":"x-user"}]}',
    '{"type":"Maglev","hash":[{"cookie":{"name":"user","ttl":"1h","path":"/"}},{"sourceIp":true}]}',
  ]
  test.each(balancers)('takes the balancer %s', async (text) => {
    const balancer = JSON.parse(text) as { readonly type?: string; readonly hash?: readonly object[] }
    const taken = async () =>
      Math.min(
        ...(await Promise.all(
          Object.values(envoys).map(async (envoy) => {
            const found = await envoy.stats('cds.update_success')
            return found['cluster_manager.cds.update_success'] ?? 0
          }),
        )),
      )
    const before = await taken()
    mesh.policy('balanced', { balancer, timeouts: { request: `${before + 1}s` } })
    await expect
      .poll(async () => (await taken()) > before || refusals().length > 0, { timeout: 30_000 })
      .toBe(true)
    expect(refusals()).toEqual([])
    // Routes, which say what is hashed, come after clusters.
    for (const by of everyone)
      await expect
        .poll(() => spread(by), { message: by, timeout: 30_000 })
        .toBe(balancer.hash === undefined ? 3 : 1)
  })

  test('reports its load, so that weft stat shows what came through it', async () => {
    for (const by of protocols) {
      const client = clientOf(by, 'limited')
      for (let i = 0; i < 20; i++) await client.send(`http://${nameOf('limited')}/`)
      client.close()
    }
    const row = async (): Promise<StatRow | undefined> => {
      const { text } = await fetchText(mesh.plane.running.adminPort, '/live/mesh')
      const live = JSON.parse(text) as LiveMesh
      const edges = live.edges.filter(({ source }) => source.name === 'gateway')
      return statRows({ ...live, edges }, { subject: 'svc', namespace: 'shop' }).find(({ name }) =>
        name.startsWith('svc/limited'),
      )
    }
    await expect
      .poll(async () => (await row())?.requestsPerSecond ?? 0, { timeout: 15_000 })
      .toBeGreaterThan(0)
    expect((await row())?.successRatio).toBe(1)
  })

  test('refuses nothing that it is sent', async () => {
    for (const envoy of Object.values(envoys)) {
      const taken = await envoy.stats('update_success')
      expect(taken['listener_manager.lds.update_success']).toBeGreaterThan(0)
      expect(taken['cluster_manager.cds.update_success']).toBeGreaterThan(0)
    }
    expect(refusals()).toEqual([])
    expect(await rejected()).toEqual([])
  })
})
