/** The filters of HTTPRoutes, from the folder through the control plane to a sidecar: what an application and a client see. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { maxMirroredBytes } from '../../proxy/layers/mirror.ts'
import { type Answer, ref, type RouteMesh, startRouteMesh, until } from '../support/route-mesh.ts'

let mesh: RouteMesh
beforeAll(async () => {
  mesh = await startRouteMesh(['catalog', 'v1', 'v2', 'shadow', 'shade'], {
    empty: ['nobody'],
    slow: ['slow'],
  })
})
afterAll(() => mesh.stop())

const modify = (type: 'Request' | 'Response', modifier: object) => ({
  type: `${type}HeaderModifier`,
  [`${type.toLowerCase()}HeaderModifier`]: modifier,
})
const rewrite = (urlRewrite: object) => ({ type: 'URLRewrite', urlRewrite })
const redirect = (requestRedirect: object) => ({ type: 'RequestRedirect', requestRedirect })
const mirror = (name: string, facts: object = {}) => ({
  type: 'RequestMirror',
  requestMirror: { backendRef: ref(name), ...facts },
})
const field = (name: string, value: string) => ({ name, value })

/** Puts one rule in force that matches everything, or what is below `prefix`. */
async function rule(name: string, facts: object, prefix = '/'): Promise<void> {
  const matches = [{ path: { value: prefix } }]
  await mesh.route(name, { rules: [{ name, matches, backendRefs: [ref('v1')], ...facts }] })
}

describe('headers are set, added and removed', () => {
  const modifier = { set: [field('X-Set', 'new')], add: [field('X-Add', 'more')], remove: ['x-gone'] }
  const sent = { headers: { 'x-set': 'old', 'x-add': 'some', 'x-gone': 'here', 'x-kept': 'kept' } }

  test('in requests', async () => {
    await rule('inrequests', { filters: [modify('Request', modifier)] })
    const { seen } = await mesh.get('/', sent)
    expect(seen?.headers).toMatchObject({ 'x-set': 'new', 'x-add': 'some, more', 'x-kept': 'kept' })
    expect(seen?.headers).not.toHaveProperty('x-gone')
  })
  test('in replies', async () => {
    const filters = [
      modify('Response', { set: [field('X-App', 'hidden'), field('X-New', '100%')], remove: ['date'] }),
    ]
    await rule('inreplies', { filters })
    const { headers } = await mesh.get('/')
    expect(headers).toMatchObject({ 'x-app': 'hidden', 'x-new': '100%' })
    expect(headers).not.toHaveProperty('date')
  })
  test('by a backend alone, after those of the rule', async () => {
    const of = (value: string) => [
      modify('Request', { set: [field('X-Backend', value)] }),
      modify('Response', { add: [field('X-Version', value)] }),
    ]
    const backendRefs = [ref('v1', { filters: of('one') }), ref('v2', { filters: of('two') })]
    await rule('bybackend', {
      filters: [modify('Request', { set: [field('X-Backend', 'rule')] })],
      backendRefs,
    })
    const answers: Answer[] = []
    for (let i = 0; i < 40; i++) answers.push(await mesh.get('/'))
    const seen = new Set(
      answers.map((a) => `${a.seen?.app} ${a.seen?.headers['x-backend']} ${String(a.headers['x-version'])}`),
    )
    expect(seen).toEqual(new Set(['v1 one one', 'v2 two two']))
  })
})

describe('a request is redirected', () => {
  const locationOf = async (path: string) => {
    const { status, headers } = await mesh.get(path)
    return `${status} ${String(headers['location'])}`
  }
  test.each([
    ['tohost', { hostname: 'example.com' }, '302 http://example.com:8080/a/b?c=d'],
    ['toscheme', { scheme: 'https' }, '302 https://catalog.shop/a/b?c=d'],
    ['toport', { port: 81 }, '302 http://catalog.shop:81/a/b?c=d'],
    ['tostatus', { statusCode: 308 }, '308 http://catalog.shop:8080/a/b?c=d'],
    [
      'topath',
      { statusCode: 301, path: { type: 'ReplaceFullPath', replaceFullPath: '/x' } },
      '301 http://catalog.shop:8080/x?c=d',
    ],
    [
      'toprefix',
      { statusCode: 303, path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/x/' } },
      '303 http://catalog.shop:8080/x/b?c=d',
    ],
    [
      'toall',
      {
        scheme: 'https',
        hostname: 'example.com',
        port: 8443,
        statusCode: 307,
        path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' },
      },
      '307 https://example.com:8443/b?c=d',
    ],
  ])('%s', async (name, settings, location) => {
    await rule(name, { filters: [redirect(settings)], backendRefs: [] }, '/a')
    expect(await locationOf('/a/b?c=d')).toBe(location)
    expect(mesh.log).toEqual([])
  })
  test('with the headers that the rule adds to replies', async () => {
    const filters = [redirect({}), modify('Response', { set: [field('X-Why', 'moved')] })]
    await rule('withheaders', { filters, backendRefs: [] })
    expect((await mesh.get('/')).headers['x-why']).toBe('moved')
  })
})

describe('a request is sent on', () => {
  test('under another host', async () => {
    await rule('otherhost', { filters: [rewrite({ hostname: 'inner.example' })] })
    expect((await mesh.get('/')).seen?.headers['host']).toBe('inner.example')
  })
  test.each([
    ['fullpath', { type: 'ReplaceFullPath', replaceFullPath: '/x' }, '/a/b?c=d', '/x?c=d'],
    ['prefixpath', { type: 'ReplacePrefixMatch', replacePrefixMatch: '/x' }, '/a/b?c=d', '/x/b?c=d'],
    ['rootpath', { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' }, '/a/b', '/b'],
    ['nopath', { type: 'ReplacePrefixMatch', replacePrefixMatch: '' }, '/a', '/'],
  ])('under another path: %s', async (name, path, target, expected) => {
    await rule(name, { filters: [rewrite({ path })] }, '/a')
    expect((await mesh.get(target)).seen?.target).toBe(expected)
  })
  test('by one backend under another path and host, and by the other one as it came', async () => {
    const path = { type: 'ReplaceFullPath', replaceFullPath: '/inner' }
    const backendRefs = [ref('v1', { filters: [rewrite({ hostname: 'inner.example', path })] }), ref('v2')]
    await rule('onebackend', { backendRefs })
    const seen = new Set<string>()
    for (let i = 0; i < 40; i++) {
      const answer = await mesh.get('/outer')
      seen.add(`${answer.seen?.app} ${answer.seen?.target} ${answer.seen?.headers['host']}`)
    }
    expect(seen).toEqual(new Set(['v1 /inner inner.example', 'v2 /outer catalog.shop:8080']))
  })
})

describe('a copy is sent', () => {
  const copiesFor = (app: string) => mesh.log.filter((seen) => seen.app === app)

  test('to each mirror, as the rule changes the request, with its body and its Host', async () => {
    const filters = [modify('Request', { set: [field('X-Team', 'a')] }), mirror('shadow'), mirror('shade')]
    await rule('tomirrors', { filters })
    const { status, seen } = await mesh.get('/p?q', { method: 'POST', body: 'hello' })
    expect([status, seen?.app]).toEqual([200, 'v1'])
    await until('both copies', () => copiesFor('shadow').length === 1 && copiesFor('shade').length === 1)
    for (const copy of [...copiesFor('shadow'), ...copiesFor('shade')]) {
      expect(copy).toMatchObject({ method: 'POST', target: '/p?q', body: 'hello' })
      expect(copy.headers).toMatchObject({ 'x-team': 'a', host: 'catalog.shop:8080' })
    }
  })
  test('of a body that streams, once it is whole', async () => {
    await rule('streaming', { filters: [mirror('shadow')] })
    const body = 'x'.repeat(maxMirroredBytes)
    expect((await mesh.get('/', { method: 'POST', body })).seen?.body).toBe(body)
    await until('the copy', () => copiesFor('shadow').length === 1)
    expect(copiesFor('shadow')[0]?.body).toBe(body)
  })
  test('of no larger one, and that is counted', async () => {
    await rule('toolarge', { filters: [mirror('shadow')] })
    const count = () => mesh.sidecar.metric('outbound_http_mirror_total', 'outcome="too_large"')
    const before = await count()
    await mesh.get('/', { method: 'POST', body: 'x'.repeat(maxMirroredBytes + 1) })
    expect(await count()).toBe(before + 1)
    // The connection has carried another request since: a copy would have been sent before it.
    await mesh.get('/next')
    await until('the next copy', () => copiesFor('shadow').length === 1)
    expect(copiesFor('shadow')[0]?.target).toBe('/next')
  })
  test('of a share of the requests', async () => {
    const fraction = { numerator: 1, denominator: 4 }
    await rule('ashare', { filters: [mirror('shadow', { percent: 0 }), mirror('shade', { fraction })] })
    for (let i = 0; i < 200; i++) await mesh.get('/')
    const count = copiesFor('shade').length
    expect(copiesFor('shadow')).toEqual([])
    // 200 draws at a quarter; outside of this once in ten million runs.
    expect(count).toBeGreaterThan(18)
    expect(count).toBeLessThan(88)
  })
  test('without the request waiting for it, or failing by it', async () => {
    await rule('nowaiting', { filters: [mirror('slow'), mirror('nobody'), mirror('ghost')] })
    const start = performance.now()
    for (let i = 0; i < 20; i++) expect((await mesh.get('/')).status).toBe(200)
    expect(performance.now() - start).toBeLessThan(5_000)
    await until('the copies', () => copiesFor('slow').length === 20)
  })
})

describe('a session', () => {
  const backendRefs = [ref('v1', { weight: 1 }), ref('v2', { weight: 1 })]
  const appsOf = async (count: number, headers: Record<string, string>) => {
    const apps = new Set<string | undefined>()
    for (let i = 0; i < count; i++) apps.add((await mesh.get('/', { headers })).seen?.app)
    return apps
  }
  const cookieOf = ({ headers }: Answer) => {
    const [first = ''] = headers['set-cookie'] ?? []
    return first.split(';', 1)[0] as string
  }

  test('by cookie stays with its endpoint over weighted backends, even when the weight becomes zero', async () => {
    await rule('bycookie', { backendRefs, sessionPersistence: { sessionName: 'stick' } })
    const first = await mesh.get('/')
    const app = first.seen?.app
    expect(cookieOf(first)).toMatch(/^stick=/)
    expect(await appsOf(20, { cookie: cookieOf(first) })).toEqual(new Set([app]))
    expect((await appsOf(40, {})).size).toBe(2)
    const reversed = [
      ref('v1', { weight: app === 'v1' ? 0 : 1 }),
      ref('v2', { weight: app === 'v2' ? 0 : 1 }),
    ]
    await rule('zeroed', { backendRefs: reversed, sessionPersistence: { sessionName: 'stick' } })
    expect(await appsOf(20, { cookie: cookieOf(first) })).toEqual(new Set([app]))
    expect(await appsOf(20, {})).toEqual(new Set([app === 'v1' ? 'v2' : 'v1']))
  })
  test('by header', async () => {
    await rule('byheader', { backendRefs, sessionPersistence: { sessionName: 'X-Session', type: 'Header' } })
    const first = await mesh.get('/')
    const token = first.headers['x-session'] as string
    expect(await appsOf(20, { 'x-session': token })).toEqual(new Set([first.seen?.app]))
  })
  test('goes elsewhere, and is told so, when its endpoint is removed', async () => {
    const session = { sessionName: 'stick' }
    await rule('removed', { backendRefs: [ref('v1')], sessionPersistence: session })
    const first = await mesh.get('/')
    expect(first.seen?.app).toBe('v1')
    await rule('replaced', { backendRefs: [ref('v2')], sessionPersistence: session })
    const second = await mesh.get('/', { headers: { cookie: cookieOf(first) } })
    expect(second.seen?.app).toBe('v2')
    expect(cookieOf(second)).not.toBe(cookieOf(first))
    const third = await mesh.get('/', { headers: { cookie: cookieOf(second) } })
    expect([third.seen?.app, third.headers['set-cookie']]).toEqual(['v2', undefined])
  })
})
