import { expect, test } from 'vitest'
import { Body, chunked } from '../body.ts'
import { Reply } from '../exchange.ts'
import { grpcCallOf, isGrpcType } from '../grpc/grpc-call.ts'
import { HeaderList } from '../header-list.ts'
import { GoldenStats, replyKey, replyOf } from '../telemetry/golden-stats.ts'
import { Outcomes } from '../test-attempts.ts'
import { testExchange } from '../test-exchange.ts'
import { metrics } from './metrics.ts'

function counting(type: string, reply: Reply) {
  const stats = new GoldenStats({})
  const x = testExchange({ headers: { 'content-type': type } })
  if (isGrpcType(type)) x.grpc = grpcCallOf(x.headers, 0)
  const handler = metrics(() => stats)((one, receiver) => {
    one.nowMs = 7
    receiver.onReply(one, reply)
  })
  handler(x, new Outcomes())
  return { x, stats, replies: () => [...stats.responses].map(([key, count]) => ({ ...replyOf(key), count })) }
}

const head = (...fields: readonly string[]) => new Reply(200, '', HeaderList.of(...fields), Body.empty)

test('a request is counted by its status, at once', () => {
  const { replies } = counting('text/plain', head('grpc-status', '14'))
  expect(replies()).toEqual([{ status: 200, grpcStatus: undefined, failed: false, count: 1 }])
})

test('a call that fails at once is counted by its own status', () => {
  const { replies } = counting('application/grpc', head('grpc-status', '14'))
  expect(replies()).toEqual([{ status: 200, grpcStatus: 14, failed: true, count: 1 }])
})

test('a call with messages is counted at its end, with the time to its head', () => {
  const body = new Body(chunked, undefined)
  const reply = new Reply(200, '', new HeaderList(), body)
  const { x, stats, replies } = counting('application/grpc', reply)
  expect([stats.requests, replies()]).toEqual([1, []])
  body.finish(HeaderList.of('grpc-status', '5'))
  x.nowMs = 900
  x.done(reply, 0)
  expect(replies()).toEqual([{ status: 200, grpcStatus: 5, failed: false, count: 1 }])
  expect(stats.latencySumMs).toBe(7)
})

test('the key of a reply stands for both of its statuses', () => {
  for (const status of [200, 503])
    for (const grpcStatus of [undefined, 0, 2, 16])
      expect(replyOf(replyKey(status, grpcStatus))).toMatchObject({ status, grpcStatus })
})
