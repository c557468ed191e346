import { describe, expect, test } from 'vitest'
import { Body } from '../body.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Endpoint } from '../cluster/endpoint.ts'
import { type Exchange, Reply } from '../exchange.ts'
import { HeaderList } from '../header-list.ts'
import type { SessionRule } from '../route/route-rule.ts'
import { testExchange } from '../test-exchange.ts'
import { session } from './session.ts'

const cookie: SessionRule = {
  kind: 'cookie',
  name: 'stick',
  path: '/shop',
  maxAgeMs: undefined,
  absoluteTimeoutMs: undefined,
  idleTimeoutMs: undefined,
}
const header: SessionRule = { ...cookie, kind: 'header', name: 'X-Session' }

/** Two clusters with two endpoints each; the balancer takes what is preferred, or the last one. */
function meshOf(rule: SessionRule) {
  const clusters = new Map<string, { name: string; endpoints: { address: string }[] }>()
  for (const name of ['a', 'b'])
    clusters.set(name, { name, endpoints: [`${name}:1`, `${name}:2`].map((address) => ({ address })) })
  const clock = { nowMs: 1_000_000 }
  const layer = session(rule, {
    clusterOf: (name) => clusters.get(name) as unknown as Cluster | undefined,
    wallMs: () => clock.nowMs,
  })
  const handler = layer((x, receiver) => {
    const cluster =
      (x.cluster as unknown as { name: string; endpoints: { address: string }[] }) ?? clusters.get('b')
    x.clusterName = cluster.name
    x.endpoint = x.preferred ?? (cluster.endpoints.at(-1) as unknown as Endpoint | undefined)
    receiver.onReply(x, new Reply(200, 'OK', new HeaderList(), Body.empty))
  })
  /** Where the request went, and what the client was told. */
  const send = (headers: Record<string, string> = {}) => {
    const told: { where: string; set: string | undefined } = { where: '', set: undefined }
    handler(testExchange({ headers }), {
      onReply: (x: Exchange, reply) => {
        told.where = x.endpoint?.address ?? 'nowhere'
        told.set = reply.headers.get(rule.kind === 'cookie' ? 'set-cookie' : 'x-session')
      },
      onFailure: (_x, error) => {
        throw error
      },
    })
    return told
  }
  return { clusters, clock, send }
}

function cookieOf(set: string | undefined): Record<string, string> {
  return { Cookie: `other=1; ${set?.split(';', 1)[0] ?? ''}` }
}

test('the first reply tells the client, the next request goes there and hears nothing new', () => {
  const { send, clusters } = meshOf(cookie)
  const first = send()
  expect(first.where).toBe('b:2')
  expect(first.set).toMatch(/^stick=[-_0-9A-Za-z]+; Path=\/shop; HttpOnly; SameSite=Strict$/)
  // The balancer would take another one now.
  clusters.get('b')?.endpoints.push({ address: 'b:3' })
  expect(send(cookieOf(first.set))).toEqual({ where: 'b:2', set: undefined })
})

test('a session by header works as one by cookie', () => {
  const { send, clusters } = meshOf(header)
  const { set = '' } = send()
  clusters.get('b')?.endpoints.push({ address: 'b:3' })
  expect(send({ 'X-Session': set })).toEqual({ where: 'b:2', set: undefined })
})

test('an endpoint that has gone is replaced, and the client is told', () => {
  const { send, clusters } = meshOf(cookie)
  const { set } = send()
  clusters.get('b')?.endpoints.pop()
  const second = send(cookieOf(set))
  expect(second.where).toBe('b:1')
  expect(send(cookieOf(second.set))).toEqual({ where: 'b:1', set: undefined })
})

test('a token of another route, or of nobody, begins a session', () => {
  const { send, clusters } = meshOf(cookie)
  const { set } = send()
  clusters.delete('b')
  clusters.set('b', { name: 'b', endpoints: [{ address: 'else' }] })
  expect(send(cookieOf(set)).where).toBe('else')
  expect(send({ Cookie: 'stick=nonsense' }).set).toBeDefined()
})

describe('a session ends', () => {
  test('when its absolute time is over, used or not', () => {
    const { clock, send, clusters } = meshOf({ ...cookie, absoluteTimeoutMs: 10_000, idleTimeoutMs: 8_000 })
    const { set } = send()
    clusters.get('b')?.endpoints.push({ address: 'b:3' })
    clock.nowMs += 7_000
    const used = send(cookieOf(set))
    expect(used.where).toBe('b:2')
    clock.nowMs += 7_000
    expect(send(cookieOf(used.set)).where).toBe('b:3')
  })
  test('when it was idle for too long; each reply begins the time anew', () => {
    const { clock, send, clusters } = meshOf({ ...cookie, idleTimeoutMs: 10_000 })
    let { set } = send()
    clusters.get('b')?.endpoints.push({ address: 'b:3' })
    for (let i = 0; i < 3; i++) {
      clock.nowMs += 9_000
      const next = send(cookieOf(set))
      expect(next.where).toBe('b:2')
      set = next.set
    }
    clock.nowMs += 11_000
    expect(send(cookieOf(set)).where).toBe('b:3')
  })
})

test('a permanent cookie says how long it lasts', () => {
  expect(meshOf({ ...cookie, maxAgeMs: 90_500 }).send().set).toMatch(/; Max-Age=91$/)
})
