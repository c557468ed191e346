import { describe, expect, test } from 'vitest'
import { Body } from '../body.ts'
import { hash32 } from '../cluster/hash.ts'
import { type Exchange, Reply } from '../exchange.ts'
import { HeaderList } from '../header-list.ts'
import type { HashInput } from '../route/hash-input.ts'
import { type TestRequest, testExchange } from '../test-exchange.ts'
import { hash } from './hash.ts'

function run(inputs: readonly HashInput[], request: TestRequest) {
  const x = testExchange(request)
  let reply: Reply | undefined
  hash(
    inputs,
    () => 'made',
  )((exchange: Exchange, receiver) => {
    receiver.onReply(exchange, new Reply(200, 'OK', new HeaderList(), Body.empty))
  })(x, {
    onReply: (_x, told) => {
      reply = told
    },
    onFailure: (_x, error) => {
      throw error
    },
  })
  return { hash: x.hash, cookie: reply?.headers.get('set-cookie') }
}

const header: HashInput = { kind: 'header', name: 'x-user' }
const query: HashInput = { kind: 'query', name: 'user' }
const cookie: HashInput = { kind: 'cookie', name: 'lb', ttlMs: undefined, path: undefined }
const given: HashInput = { kind: 'cookie', name: 'lb', ttlMs: 90_000, path: '/shop' }

describe('the key of a request', () => {
  test.each<[readonly HashInput[], TestRequest, string]>([
    [[header], { headers: { 'X-User': 'ann' } }, 'ann'],
    [[query], { target: '/a?b=c&user=ann' }, 'ann'],
    [[cookie], { headers: { Cookie: 'a=b; lb=ann' } }, 'ann'],
    [[{ kind: 'source-ip' }], {}, '127.0.0.1'],
    [[{ kind: 'header', name: ':authority' }], { authority: 'catalog:80' }, 'catalog:80'],
  ])('%j', (inputs, request, key) => {
    expect(run(inputs, request).hash).toBe(hash32(key))
  })

  test('is the first one that it has', () => {
    expect(run([header, query], { target: '/?user=bob', headers: { 'X-User': 'ann' } }).hash).toBe(
      hash32('ann'),
    )
    expect(run([header, query], { target: '/?user=bob' }).hash).toBe(hash32('bob'))
  })

  test('is none where it has none of them', () => {
    expect(run([header, query, cookie], {})).toEqual({ hash: undefined, cookie: undefined })
  })
})

describe('a cookie with a lifetime', () => {
  test('is given to a client without it, and decides already', () => {
    expect(run([given], {})).toEqual({
      hash: hash32('made'),
      cookie: 'lb=made; Max-Age=90; Path=/shop; HttpOnly',
    })
  })

  test('of zero lasts as long as the client', () => {
    expect(run([{ ...given, ttlMs: 0, path: undefined }], {}).cookie).toBe('lb=made; HttpOnly')
  })

  test('is not given to a client that has it, or something before it', () => {
    expect(run([given], { headers: { Cookie: 'lb=ann' } })).toEqual({
      hash: hash32('ann'),
      cookie: undefined,
    })
    expect(run([header, given], { headers: { 'X-User': 'ann' } }).cookie).toBeUndefined()
  })

  test('is given before anything after it counts', () => {
    expect(run([given, { kind: 'source-ip' }], {}).hash).toBe(hash32('made'))
  })
})
