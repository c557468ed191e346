import { expect, test } from 'vitest'
import { grpcCallOf } from './grpc/grpc-call.ts'
import { localReply } from './local-reply.ts'
import { testExchange } from './test-exchange.ts'

function call() {
  const x = testExchange({ headers: { 'content-type': 'application/grpc' } })
  x.grpc = grpcCallOf(x.headers, 0)
  return x
}

test('HTTP is answered with a status, a flag and a line of text', () => {
  const x = testExchange()
  const reply = localReply(x, { status: 429, flag: 'RL', text: 'RATE: süß', retryAfterSeconds: 3 })
  expect([reply.status, x.flag]).toEqual([429, 'RL'])
  expect(reply.headers.lines).toBe(
    'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 12\r\nRetry-After: 3\r\nweft-error: RL\r\n',
  )
  expect(Buffer.from(reply.body.inline ?? '', 'latin1').toString()).toBe('RATE: süß\n')
})

test('a call is answered with its status in the one head that there is', () => {
  const x = call()
  const reply = localReply(x, { status: 404, flag: 'NR', text: 'NO_ROUTE: 100 % sure' })
  expect([reply.status, reply.body.isEmpty, reply.body.complete, x.flag]).toEqual([200, true, true, 'NR'])
  expect(reply.headers.lines).toBe(
    'content-type: application/grpc\r\ngrpc-status: 12\r\ngrpc-message: NO_ROUTE: 100 %25 sure\r\nweft-error: NR\r\n',
  )
})

test.each([
  ['no route', 404, 'NR', 12],
  ['a denial', 403, 'UAEX', 7],
  ['a rate limit', 429, 'RL', 14],
  ['no endpoint', 503, 'UH', 14],
  ['a timeout', 504, 'UT', 4],
  ['a backend that does not exist', 500, 'NC', 14],
  ['a client that left', 499, 'DC', 1],
  ['a fault of ours', 500, '', 2],
] as const)('%s (%i %s) is grpc-status %i', (_what, status, flag, grpcStatus) => {
  const reply = localReply(call(), { status, flag, text: 'x' })
  expect(reply.headers.get('grpc-status')).toBe(String(grpcStatus))
})
