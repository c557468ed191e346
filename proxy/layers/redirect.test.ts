import { expect, test } from 'vitest'
import type { Reply } from '../exchange.ts'
import type { Redirect } from '../route/route-rule.ts'
import { type TestRequest, testExchange } from '../test-exchange.ts'
import { redirect } from './redirect.ts'

const asItIs: Redirect = {
  scheme: undefined,
  host: undefined,
  port: undefined,
  path: undefined,
  dropQuery: false,
  status: 302,
}

function answer(rule: Partial<Redirect>, request: TestRequest = { target: '/a/b?c=d' }): Reply {
  let answered: Reply | undefined
  redirect({ ...asItIs, ...rule })(testExchange(request), {
    onReply: (_x, reply) => {
      answered = reply
    },
    onFailure: (_x, error) => {
      throw error
    },
  })
  if (answered === undefined) throw new Error('no answer')
  return answered
}

test.each<[string, Partial<Redirect>, string]>([
  ['nothing but the status', {}, 'http://catalog:8080/a/b?c=d'],
  ['the host, whose port is its own', { host: 'example.com' }, 'http://example.com/a/b?c=d'],
  ['host and port', { host: 'example.com', port: 8443 }, 'http://example.com:8443/a/b?c=d'],
  ['the scheme, which implies the port', { scheme: 'https' }, 'https://catalog/a/b?c=d'],
  ['scheme and port', { scheme: 'https', port: 8443 }, 'https://catalog:8443/a/b?c=d'],
  ['to the port that the scheme implies', { scheme: 'https', port: 443 }, 'https://catalog/a/b?c=d'],
  ['to port 80', { port: 80 }, 'http://catalog/a/b?c=d'],
  ['the whole path', { path: { kind: 'full', value: '/new' } }, 'http://catalog:8080/new?c=d'],
  ['the prefix', { path: { kind: 'elements', matched: '/a', value: '/x' } }, 'http://catalog:8080/x/b?c=d'],
  ['the query away', { dropQuery: true }, 'http://catalog:8080/a/b'],
])('redirects %s', (_what, rule, location) => {
  expect(answer(rule).headers.get('location')).toBe(location)
})

test('an address of IPv6 keeps its brackets', () => {
  expect(answer({ port: 81 }, { authority: '[::1]:80' }).headers.get('location')).toBe('http://[::1]:81/')
})

test.each([301, 302, 303, 307, 308] as const)('answers %i without a body', (status) => {
  const reply = answer({ status })
  expect([reply.status, reply.headers.get('content-length'), reply.bodyLength]).toEqual([status, '0', 0])
  expect(reply.reason).not.toBe('')
})
