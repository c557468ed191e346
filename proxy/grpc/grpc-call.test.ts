import { expect, test } from 'vitest'
import { Body, chunked } from '../body.ts'
import { type Exchange, Reply } from '../exchange.ts'
import { HeaderList } from '../header-list.ts'
import { testExchange } from '../test-exchange.ts'
import { callStatus, grpcCallOf, isGrpcType, statusInHead } from './grpc-call.ts'

test.each([
  ['application/grpc', true],
  ['application/grpc+proto', true],
  ['application/grpc;charset=x', true],
  ['application/grpc-web', false],
  ['application/json', false],
])('a request of type %s is a call: %s', (type, is) => {
  expect(isGrpcType(type)).toBe(is)
})

test('its deadline is its timeout from the beginning; none without a usable one', () => {
  const deadline = (timeout: string) => grpcCallOf(HeaderList.of('grpc-timeout', timeout), 1_000).deadlineMs
  expect(deadline('2S')).toBe(3_000)
  expect(deadline('soon')).toBe(Number.POSITIVE_INFINITY)
})

test('a limit on the way lowers it and never raises it', () => {
  const call = grpcCallOf(HeaderList.of('grpc-timeout', '2S'), 0)
  call.lower(500)
  call.lower(900)
  expect(call.deadlineMs).toBe(500)
})

const reply = (status: number, fields: readonly string[], body = Body.empty) =>
  new Reply(status, '', HeaderList.of(...fields), body)

function streamed(...trailers: readonly string[]): Reply {
  const body = new Body(chunked, undefined)
  body.finish(HeaderList.of(...trailers))
  return reply(200, [], body)
}

test('the status is in the head where there is nothing else, or where it is not gRPC’s', () => {
  expect(statusInHead(reply(200, ['grpc-status', '14']))).toBe(14)
  expect(statusInHead(reply(503, []))).toBe(14)
  expect(statusInHead(reply(200, []))).toBeUndefined()
})

function outcome(
  of: Reply | undefined,
  facts: Partial<Pick<Exchange, 'aborted' | 'timedOut' | 'flag'>> = {},
) {
  const x = testExchange({ headers: { 'content-type': 'application/grpc' } })
  x.grpc = grpcCallOf(x.headers, 0)
  return callStatus(Object.assign(x, facts), of)
}

test('a call came out as its trailers say, or else as what is known of its end', () => {
  expect(outcome(streamed('grpc-status', '5'))).toBe(5)
  expect(outcome(streamed())).toBe(2)
  expect(outcome(reply(200, [], new Body(chunked, undefined)))).toBe(13)
  expect(outcome(undefined)).toBe(14)
  expect(outcome(undefined, { aborted: true, flag: 'DC' })).toBe(1)
  expect(outcome(undefined, { aborted: true, flag: 'UC' })).toBe(13)
  expect(outcome(reply(200, [], new Body(chunked, undefined)), { timedOut: true })).toBe(4)
})

test('what is no call has no status', () => {
  expect(callStatus(testExchange(), streamed('grpc-status', '5'))).toBeUndefined()
})
