import { Buffer } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { Body, chunked } from '../body.ts'
import { type Exchange, type Handler, type Receiver, Reply } from '../exchange.ts'
import { HeaderList } from '../header-list.ts'
import type { MirrorStats } from '../telemetry/mirror-stats.ts'
import { type TestRequest, testExchange } from '../test-exchange.ts'
import { maxMirroredBytes, maxMirrorsInFlight, mirror, mirrorTimeoutMs } from './mirror.ts'

type Sent = { readonly x: Exchange; readonly receiver: Receiver }

/** A mirror with one target, and what reaches both. */
function mirrored(share = 1, random = 0) {
  const clock = new ManualClock()
  const stats: MirrorStats = { answered: 0, failed: 0, tooLarge: 0, dropped: 0 }
  const copies: Sent[] = []
  const originals: Exchange[] = []
  const send: Handler = (x, receiver) => void copies.push({ x, receiver })
  const next: Handler = (x) => void originals.push(x)
  const handler = mirror([{ share, send, stats }], clock, () => random)(next)
  const receiver: Receiver = { onReply: () => undefined, onFailure: () => undefined }
  const request = (given: TestRequest = {}) => handler(testExchange(given), receiver)
  return { clock, stats, copies, originals, request }
}

function ok(body = Body.empty): Reply {
  return new Reply(200, 'OK', new HeaderList(), body)
}

test('the copy is the request as it was, and a message of its own', () => {
  const { copies, originals, request } = mirrored()
  request({ method: 'POST', target: '/x', headers: { 'X-Team': 'a' }, body: Body.of('hello') })
  const [copy, original] = [copies[0]?.x, originals[0]]
  original?.headers.set('x-team', 'b')
  expect(copy?.headers.get('x-team')).toBe('a')
  expect([copy?.method, copy?.target, copy?.body.inline]).toEqual(['POST', '/x', 'hello'])
  expect(copy?.headers.get('host')).toBe('catalog:8080')
  expect(copy).not.toBe(original)
})

test('only its share of the requests is copied', () => {
  expect(mirrored(0.5, 0.49).stats).toBeDefined()
  for (const [random, expected] of [
    [0.49, 1],
    [0.5, 0],
  ] as const) {
    const { copies, originals, request } = mirrored(0.5, random)
    request()
    expect([copies.length, originals.length]).toEqual([expected, 1])
  }
})

test('an upgrade is not copied', () => {
  const { copies, originals, request } = mirrored()
  request({ upgrade: 'websocket' })
  expect([copies.length, originals.length]).toEqual([0, 1])
})

describe('a body that streams', () => {
  test('is copied once it is whole, with its length', () => {
    const { copies, originals, request } = mirrored()
    const body = new Body(chunked, undefined)
    const read = Buffer.from('he')
    body.push(read)
    read.fill('x')
    request({ method: 'POST', headers: { 'Transfer-Encoding': 'chunked' }, body })
    body.push(Buffer.from('llo'))
    expect([copies.length, originals.length]).toEqual([0, 1])
    body.finish()
    const copy = copies[0]?.x
    expect(copy?.body.inline).toBe('hello')
    expect(copy?.headers.get('content-length')).toBe('5')
    expect(copy?.headers.get('transfer-encoding')).toBeUndefined()
  })
  test('still goes to its own destination', () => {
    const { originals, request } = mirrored()
    const body = new Body(chunked, undefined)
    request({ body })
    let received = ''
    originals[0]?.body.start({
      write: (piece) => {
        received += piece.toString()
        return true
      },
      end: () => {
        received += '.'
      },
      abort: () => undefined,
    })
    body.push(Buffer.from('hello'))
    body.finish()
    expect(received).toBe('hello.')
  })
  test('is not copied when it is too large, and that is counted', () => {
    const { copies, stats, request } = mirrored()
    const body = new Body(chunked, undefined)
    request({ body })
    body.push(Buffer.alloc(maxMirroredBytes))
    body.push(Buffer.alloc(1))
    body.finish()
    request({ body: new Body(maxMirroredBytes + 1, undefined) })
    expect([copies.length, stats.tooLarge]).toEqual([0, 2])
  })
  test('is not copied when the client breaks off', () => {
    const { copies, stats, request } = mirrored()
    const body = new Body(chunked, undefined)
    request({ body })
    body.push(Buffer.from('he'))
    body.fail(new Error('gone'))
    expect([copies.length, stats.dropped]).toEqual([0, 1])
  })
})

describe('what becomes of a copy', () => {
  test('is counted, and nothing else', () => {
    const { copies, stats, request } = mirrored()
    request()
    request()
    copies[0]?.receiver.onReply(copies[0].x, ok())
    copies[1]?.receiver.onFailure(copies[1].x, new Error('refused'))
    expect(stats).toEqual({ answered: 1, failed: 1, tooLarge: 0, dropped: 0 })
  })
  test('an answer is read to its end', () => {
    const { copies, stats, request } = mirrored()
    request()
    const body = new Body(chunked, undefined)
    copies[0]?.receiver.onReply(copies[0].x, ok(body))
    expect(stats.answered).toBe(0)
    body.push(Buffer.from('x'))
    body.finish()
    expect(stats.answered).toBe(1)
  })
  test.each([
    ['takes too long', (clock: ManualClock) => clock.advance(mirrorTimeoutMs)],
    [
      'never ends',
      (_clock: ManualClock, body: Body) => {
        for (let i = 0; i < 17; i++) body.push(Buffer.alloc(64 * 1024))
      },
    ],
  ])('one that %s is cut off', async (_what, run) => {
    const { clock, copies, request } = mirrored()
    request()
    const copy = copies[0] as Sent
    let cancelled = 0
    copy.x.cancel = () => cancelled++
    const body = new Body(chunked, undefined)
    copy.receiver.onReply(copy.x, ok(body))
    run(clock, body)
    await Promise.resolve()
    expect(cancelled).toBe(1)
  })
  test('a target that does not answer gets no more than its bound', () => {
    const { copies, stats, request } = mirrored()
    for (let i = 0; i <= maxMirrorsInFlight; i++) request()
    expect([copies.length, stats.dropped]).toEqual([maxMirrorsInFlight, 1])
    copies[0]?.receiver.onReply(copies[0].x, ok())
    request()
    expect([copies.length, stats.dropped]).toEqual([maxMirrorsInFlight + 1, 1])
  })
  test('a failure to send is no failure of the request', () => {
    const stats: MirrorStats = { answered: 0, failed: 0, tooLarge: 0, dropped: 0 }
    const send: Handler = () => {
      throw new Error('no endpoint')
    }
    let answered = 0
    const handler = mirror(
      [{ share: 1, send, stats }],
      new ManualClock(),
    )((x, receiver) => receiver.onReply(x, ok()))
    handler(testExchange(), { onReply: () => answered++, onFailure: () => undefined })
    expect([answered, stats.failed]).toEqual([1, 1])
  })
})
