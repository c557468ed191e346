/** HTTPRoutes on a Service, from the folder through the control plane to a sidecar: what is matched, and where it goes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { HttpClient, type HttpRequest } from '../support/http-client.ts'
import { ref, type RouteMesh, startRouteMesh, until } from '../support/route-mesh.ts'
import { startSidecar } from '../support/sidecar-process.ts'

let mesh: RouteMesh
beforeAll(async () => {
  mesh = await startRouteMesh(['catalog', 'v1', 'v2'], {
    empty: ['nobody'],
    slow: ['slow'],
    namespaces: ['front'],
    settings: ['--decision-headers'],
  })
})
afterAll(() => mesh.stop())

/** Which application each request reached, or the status of the reply. */
async function reached(...requests: readonly (string | readonly [string, HttpRequest])[]) {
  const outcomes: string[] = []
  for (const request of requests) {
    const { status, seen } =
      typeof request === 'string' ? await mesh.get(request) : await mesh.get(...request)
    outcomes.push(seen?.app ?? String(status))
  }
  return outcomes
}

const only = (rule: object) => ({ rules: [rule] })
const text = { type: 'RegularExpression' }

describe('a request is matched', () => {
  test('by the whole path, by its elements, or by a regex', async () => {
    await mesh.route('paths', {
      rules: [
        { name: 'paths', matches: [{ path: { type: 'Exact', value: '/exact' } }], backendRefs: [ref('v1')] },
        { matches: [{ path: { value: '/prefix/' } }], backendRefs: [ref('v2')] },
        { matches: [{ path: { ...text, value: '/re/[0-9]+' } }], backendRefs: [ref('catalog')] },
      ],
    })
    expect(
      await reached('/exact?a=b', '/exact/', '/prefix', '/prefix/a', '/prefixed', '/re/42', '/re/42/x', '/'),
    ).toEqual(['v1', '404', 'v2', 'v2', '404', 'catalog', '404', '404'])
  })

  test('by method, headers and query parameters, all of a match together, any of several', async () => {
    const both = { headers: [{ name: 'X-Team', value: 'blue' }], queryParams: [{ name: 'q', value: '1' }] }
    await mesh.route('fields', {
      rules: [
        { name: 'fields', matches: [{ method: 'PUT' }, both], backendRefs: [ref('v1')] },
        { matches: [{ headers: [{ name: 'x-team', ...text, value: 'gr.*' }] }], backendRefs: [ref('v2')] },
        {
          matches: [{ queryParams: [{ name: 'q', ...text, value: '[2-9]' }] }],
          backendRefs: [ref('catalog')],
        },
      ],
    })
    const team = (name: string): HttpRequest => ({ headers: { 'x-team': name } })
    expect(
      await reached(
        ['/', { method: 'PUT' }],
        ['/?q=1', team('blue')],
        ['/', team('blue')],
        ['/', team('green')],
        ['/', team('great green')],
        '/?q=7',
        '/?q=77',
      ),
    ).toEqual(['v1', 'v1', '404', 'v2', 'v2', 'catalog', '404'])
  })

  test('by the most specific match of all routes, then by the oldest of them', async () => {
    const anything = { backendRefs: [ref('catalog')] }
    const exact = { matches: [{ path: { type: 'Exact', value: '/a/b' } }], backendRefs: [ref('v2')] }
    const prefix = { matches: [{ path: { value: '/a/b' } }], backendRefs: [ref('v1')] }
    const header = { matches: [{ headers: [{ name: 'x', value: '1' }] }], backendRefs: [ref('v2')] }
    await mesh.route('general', { rules: [{ name: 'general', ...anything }, prefix, header] })
    await mesh.route('special', { rules: [{ name: 'special', ...exact }] }, 'a-second')
    try {
      expect(
        await reached(
          '/a/b',
          '/a/b/c',
          '/a',
          ['/', { headers: { x: '1' } }],
          ['/a/b/c', { headers: { x: '1' } }],
        ),
      ).toEqual(['v2', 'v1', 'catalog', 'v2', 'v1'])
    } finally {
      mesh.plane.write('a-second.json', '')
    }
  })
})

describe('what is answered when there is nobody to send to', () => {
  test('404 where no rule matches, with the reason', async () => {
    await mesh.route(
      'none',
      only({ name: 'none', matches: [{ path: { value: '/only' } }], backendRefs: [ref('v1')] }),
    )
    const { status, headers, text: body } = await mesh.get('/else')
    expect([status, headers['weft-error']]).toEqual([404, 'NR'])
    expect(body).toContain('NO_ROUTE')
  })
  test('500 for the share of a backend that does not exist, and it is logged', async () => {
    await mesh.route('half', only({ name: 'half', backendRefs: [ref('v1'), ref('ghost')] }))
    const outcomes = await reached(...Array.from({ length: 200 }, () => '/'))
    const failed = outcomes.filter((outcome) => outcome === '500').length
    expect(new Set(outcomes)).toEqual(new Set(['v1', '500']))
    // 200 draws at one half; outside of this once in ten million runs.
    expect(failed).toBeGreaterThan(60)
    expect(failed).toBeLessThan(140)
    expect(mesh.plane.logLines.join('')).toContain("backend 'shop/ghost:8080' is no port of a Service")
  })
  test('503 for the share of one without a ready endpoint: it does not move to the others', async () => {
    await mesh.route('empty', only({ name: 'empty', backendRefs: [ref('v1'), ref('nobody')] }))
    expect(new Set(await reached(...Array.from({ length: 100 }, () => '/')))).toEqual(new Set(['v1', '503']))
    await mesh.route('allempty', only({ name: 'allempty', backendRefs: [ref('nobody')] }))
    expect((await mesh.get('/')).headers['weft-error']).toBe('UH')
  })
  test('500 where all weigh nothing, and nothing for a weight of zero beside others', async () => {
    await mesh.route('zero', only({ name: 'zero', backendRefs: [ref('v1', { weight: 0 })] }))
    expect(await reached('/')).toEqual(['500'])
    await mesh.route('onezero', only({ name: 'onezero', backendRefs: [ref('v1', { weight: 0 }), ref('v2')] }))
    expect(new Set(await reached(...Array.from({ length: 50 }, () => '/')))).toEqual(new Set(['v2']))
  })
  test('500 for a rule with a filter that is not supported, whose requests may not pass without it', async () => {
    const filters = [{ type: 'ExtensionRef', extensionRef: { group: 'x', kind: 'Auth', name: 'y' } }]
    await mesh.route('guarded', {
      rules: [
        { name: 'guarded', matches: [{ path: { value: '/g' } }], filters, backendRefs: [ref('v1')] },
        { backendRefs: [ref('v2')] },
      ],
    })
    expect(await reached('/g', '/')).toEqual(['500', 'v2'])
    const { text: page } = await fetchText(mesh.plane.running.adminPort, '/routes')
    expect(page).toContain('"PartiallyInvalid"')
    expect(page).toContain('filter ExtensionRef is not supported')
  })
  test('504 when the route has no more time', async () => {
    await mesh.route(
      'timed',
      only({ name: 'timed', timeouts: { request: '100ms' }, backendRefs: [ref('slow')] }),
    )
    const { status, headers } = await mesh.get('/')
    expect([status, headers['weft-error']]).toEqual([504, 'UT'])
  })
})

test('a route whose parent is another port is not for this one', async () => {
  await mesh.route('here', only({ name: 'here', backendRefs: [ref('v1')] }))
  const elsewhere = [{ group: '', kind: 'Service', name: 'catalog', port: 9090 }]
  mesh.plane.write(
    'r.json',
    JSON.stringify({
      apiVersion: 'gateway.networking.k8s.io/v1beta1',
      kind: 'HTTPRoute',
      metadata: { name: 'r', namespace: 'shop' },
      spec: { parentRefs: elsewhere, rules: [{ backendRefs: [ref('v1')] }] },
    }),
  )
  await until('the service serves itself', async () => (await reached('/'))[0] === 'catalog')
  expect(mesh.plane.logLines.join('')).toContain("its parent 'shop/catalog' has no port 9090")
})

test('a route of the namespace of the client beats that of the service, for its clients alone', async () => {
  await mesh.route('producer', only({ name: 'producer', backendRefs: [ref('v1')] }))
  const front = await startSidecar(mesh.plane, { namespace: 'front' })
  const client = new HttpClient(front.port)
  const fromFront = async () => {
    const { body } = await client.send('http://catalog.shop:8080/')
    return (JSON.parse(body) as { app: string }).app
  }
  const consumer = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'mine', namespace: 'front' },
    spec: {
      parentRefs: [{ group: '', kind: 'Service', name: 'catalog', namespace: 'shop' }],
      rules: [{ backendRefs: [ref('v2', { namespace: 'shop' })] }],
    },
  }
  try {
    expect(await fromFront()).toBe('v1')
    mesh.plane.write('consumer.json', JSON.stringify(consumer))
    await until('the route of the client', async () => (await fromFront()) === 'v2')
    expect(await reached('/', '/', '/')).toEqual(['v1', 'v1', 'v1'])
    mesh.plane.write('consumer.json', '')
    await until('the route of the service again', async () => (await fromFront()) === 'v1')
  } finally {
    client.close()
    await front.stop()
  }
})

test('a file whose regex cannot be used is refused with line and reason; what was good stays', async () => {
  await mesh.route('good', only({ name: 'good', backendRefs: [ref('v1')] }))
  const bad = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: catalog}]
  rules:
    - matches:
        - path: {type: RegularExpression, value: "((a{50}){50}){50}"}
      backendRefs: [{name: v2, port: 8080}]
`
  mesh.plane.write('r.json', bad)
  await until('the report', () => mesh.plane.logLines.some((line) => line.includes('regex repeats too much')))
  const report = mesh.plane.logLines.find((line) => line.includes('regex repeats too much'))
  expect(report).toMatch(/r\.json:8.*spec\.rules\[0\]\.matches\[0\]\.path\.value/)
  expect(await reached('/')).toEqual(['v1'])
})

describe('decisions are visible', () => {
  test('in the reply, when that is asked for', async () => {
    await mesh.route('shown', only({ name: 'shown', backendRefs: [ref('v1')] }))
    const { headers } = await mesh.get('/')
    expect(headers['weft-route']).toBe('httproute/shop/r/shown')
    expect(headers['weft-backend']).toBe('v1.shop.svc.cluster.local:8080')
  })
  test('in a counter for each reason', async () => {
    await mesh.route('counted', only({ name: 'counted', matches: [{ path: { value: '/only' } }] }))
    const count = () => mesh.sidecar.metric('response_flags_total', 'flag="NR"').catch(() => 0)
    const before = await count()
    await reached('/else', '/else')
    expect(await count()).toBe(before + 2)
  })
})

test('with grants required a backend of another namespace needs one, at once', async () => {
  const strict = await startRouteMesh(['catalog', 'v1'], { referenceGrants: 'required' })
  const other = `apiVersion: v1
kind: Service
metadata: {name: v1, namespace: other}
spec: {ports: [{name: http, port: 8080}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: v1, namespace: other, labels: {kubernetes.io/service-name: v1}}
addressType: IPv4
ports: [{name: http, port: ${strict.apps['v1']?.port}}]
endpoints: [{addresses: [127.0.0.1]}]
`
  const grant = JSON.stringify({
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    metadata: { name: 'g', namespace: 'other' },
    spec: {
      from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'shop' }],
      to: [{ group: '', kind: 'Service' }],
    },
  })
  const status = async () => (await strict.get('/')).status
  try {
    strict.plane.write('other.yaml', other)
    await strict.route('foreign', only({ name: 'foreign', backendRefs: [ref('v1', { namespace: 'other' })] }))
    expect(await status()).toBe(500)
    strict.plane.write('grant.json', grant)
    await until('the grant', async () => (await status()) === 200)
    strict.plane.write('grant.json', '')
    await until('its end', async () => (await status()) === 500)
    expect(strict.plane.logLines.join('')).toContain('BACKEND_NOT_PERMITTED')
  } finally {
    await strict.stop()
  }
})
