import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testExchange } from '../test-exchange.ts'
import type { NamedMatch, PathMatch, RouteMatch, RouteRule } from './route-rule.ts'
import { RouteTable } from './route-table.ts'

type Request = { readonly method: string; readonly target: string; readonly headers: Record<string, string> }

function rule(name: string, path: PathMatch, more: Partial<RouteMatch> = {}): RouteRule {
  return {
    name,
    match: { path, headers: [], query: [], ...more },
    action: { kind: 'respond', status: 200, body: '' },
    timeoutMs: undefined,
  }
}

function find(rules: readonly RouteRule[], target: string, headers: Record<string, string> = {}) {
  const table = new RouteTable([{ domains: ['*'], rules }], ({ name }) => name)
  return table.find(testExchange({ target, headers }))
}

const exact = (value: string): PathMatch => ({ kind: 'exact', value })
const prefix = (value: string): PathMatch => ({ kind: 'pathPrefix', value })
const regex = (value: string): PathMatch => ({ kind: 'regex', value })
const header = (name: string, value: string): NamedMatch => ({
  name,
  match: { kind: 'exact', value },
  invert: false,
})

describe('a prefix', () => {
  const rules = [rule('foo', prefix('/foo/'))]
  test.each(['/foo', '/foo/', '/foo/bar', '/foo?x=/y', '/foo/bar/baz'])('takes %s', (target) => {
    expect(find(rules, target)).toBe('foo')
  })
  test.each(['/foobar', '/', '/Foo', '/bar/foo', '*', '//foo'])('does not take %s', (target) => {
    expect(find(rules, target)).toBeUndefined()
  })
})

test('an exact path is the whole path, without the query', () => {
  const rules = [rule('foo', exact('/foo'))]
  expect(find(rules, '/foo?a=b')).toBe('foo')
  expect(find(rules, '/foo/')).toBeUndefined()
})

test('the first rule of the list counts, wherever the index keeps it', () => {
  const any = rule('any', prefix('/'), { headers: [header('canary', 'yes')] })
  const others = [rule('exact', exact('/a/b')), rule('deep', prefix('/a/b')), rule('short', prefix('/a'))]
  expect(find([any, ...others], '/a/b', { canary: 'yes' })).toBe('any')
  expect(find([any, ...others], '/a/b')).toBe('exact')
  expect(find([...others].toReversed(), '/a/b')).toBe('short')
  expect(find([rule('regex', regex('/a/.')), ...others], '/a/b')).toBe('regex')
  expect(find([...others, rule('regex', regex('/a/.'))], '/a/b')).toBe('exact')
})

test('a query parameter counts by its first value, decoded', () => {
  const rules = [rule('q', prefix('/'), { query: [header('who', 'a b')] })]
  expect(find(rules, '/?x=1&who=a%20b&who=c')).toBe('q')
  expect(find(rules, '/?who=c&who=a%20b')).toBeUndefined()
  expect(find(rules, '/')).toBeUndefined()
})

test('shares of the requests add up, because all rules see the same chance', () => {
  const rules = [0.3, 0.6, undefined].map((share, i) => rule(String(i), prefix('/'), { share }))
  let next = 0
  const table = new RouteTable(
    [{ domains: ['*'], rules }],
    ({ name }) => name,
    () => (next++ % 1000) / 1000,
  )
  const counts: Record<string, number> = {}
  for (let i = 0; i < 1000; i++) {
    const name = table.find(testExchange()) ?? 'none'
    counts[name] = (counts[name] ?? 0) + 1
  }
  expect(counts).toEqual({ 0: 300, 1: 300, 2: 400 })
})

test('virtual hosts are found by host, the longest suffix first', () => {
  const hosts = [
    ['*', 'any'],
    ['*.shop', 'shop'],
    ['*.eu.shop', 'eu'],
    ['catalog', 'catalog'],
  ].map(([domain = '', name = '']) => ({ domains: [domain], rules: [rule(name, prefix('/'))] }))
  const table = new RouteTable(hosts, ({ name }) => name)
  const host = (authority: string) => table.find(testExchange({ authority }))
  expect([host('Catalog:80'), host('a.shop'), host('a.eu.shop:80'), host('else')]).toEqual([
    'catalog',
    'shop',
    'eu',
    'any',
  ])
})

/** What the words say, rule by rule: nothing is looked up. */
function matchesByTheWords({ match }: RouteRule, { method, target, headers }: Request): boolean {
  const [path = '', query = ''] = target.split('?')
  const elements = (text: string) => text.replace(/\/$/, '').split('/')
  const matchesPath = (): boolean => {
    const { kind, value } = match.path
    if (kind === 'exact') return path === value
    if (kind === 'prefix') return path.startsWith(value)
    if (kind === 'regex') return new RegExp(`^(?:${value})$`).test(path)
    return elements(value).every((element, i) => path.split('/')[i] === element)
  }
  const accepts = ({ match: wanted }: NamedMatch, value: string | undefined): boolean =>
    wanted.kind === 'exact'
      ? value === wanted.value
      : value !== undefined && new RegExp(`^(?:${'value' in wanted ? wanted.value : '.*'})$`).test(value)
  return (
    matchesPath() &&
    match.headers.every((entry) => accepts(entry, entry.name === ':method' ? method : headers[entry.name])) &&
    match.query.every((entry) => accepts(entry, new URLSearchParams(query).get(entry.name) ?? undefined))
  )
}

const path = fc
  .array(fc.constantFrom('a', 'b', 'ab', ''), { maxLength: 4 })
  .map((elements) => `/${elements.join('/')}`)
const value = fc.constantFrom('1', '2', '12')
const named = (names: readonly string[]) =>
  fc.record({
    name: fc.constantFrom(...names),
    match: fc.oneof(
      value.map((text) => ({ kind: 'exact', value: text }) as const),
      fc.constant({ kind: 'regex', value: '1.*' } as const),
    ),
    invert: fc.constant(false),
  })
const anyMatch: fc.Arbitrary<RouteMatch> = fc.record({
  path: fc.oneof(
    path.map(exact),
    path.map(prefix),
    path.map((text): PathMatch => ({ kind: 'prefix', value: text })),
    fc.constantFrom('/a.*', '.*b', '/[ab]/.*').map(regex),
  ),
  headers: fc.array(fc.oneof(named(['x', 'y']), fc.constant(header(':method', 'GET'))), { maxLength: 2 }),
  query: fc.array(named(['p', 'q']), { maxLength: 2 }),
})
const anyRequest: fc.Arbitrary<Request> = fc.record({
  method: fc.constantFrom('GET', 'POST'),
  target: fc
    .tuple(path, fc.constantFrom('', '?', '?p=1', '?q=2&p=12', '?p=2&p=1'))
    .map((parts) => parts.join('')),
  headers: fc.dictionary(fc.constantFrom('x', 'y'), value),
})

test('the index answers as a reader of the list would', () => {
  fc.assert(
    fc.property(
      fc.array(anyMatch, { maxLength: 30 }),
      fc.array(anyRequest, { maxLength: 20 }),
      (list, requests) => {
        const rules = list.map((match, i) => ({ ...rule(String(i), match.path), match }))
        const table = new RouteTable([{ domains: ['*'], rules }], ({ name }) => name)
        for (const request of requests) {
          const expected = rules.find((candidate) => matchesByTheWords(candidate, request))?.name
          expect(table.find(testExchange(request))).toBe(expected)
        }
      },
    ),
    { numRuns: 500 },
  )
})
