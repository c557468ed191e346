/** Floods end their own connection, at once, and nobody else's requests: part E of the reference's list. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  block,
  data,
  flags,
  frame,
  headers,
  RawHttp2,
  request,
  settings,
  types,
  uint32,
} from '../support/http2-frames.ts'
import { type Http2Application, startHttp2Application } from '../support/http2-application.ts'
import { ask, connectHttp2 } from '../support/http2-client.ts'
import { type PlainDataPath, startPlainDataPath } from '../support/plain-data-path.ts'
import { code } from './http2-row.ts'

let app: Http2Application
let plain: PlainDataPath

beforeAll(async () => {
  app = await startHttp2Application((stream, fields) => {
    if (fields[':path'] === '/slow') return
    stream.respond({ ':status': 200 })
    stream.end('app')
  })
  plain = await startPlainDataPath([app.port])
})

afterAll(async () => {
  plain.stop()
  await app.stop()
})

const many = (count: number, make: (i: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => make(i)))
const slow = (i: number, endStream = true): Buffer => headers(2 * i + 1, request('POST', '/slow'), endStream)
const crumbs = Array.from({ length: 300 }, () => ['cookie', 'a'] as const)

const floods: readonly (readonly [string, Buffer])[] = [
  [
    '88 streams opened and reset',
    many(5000, (i) => Buffer.concat([slow(i), frame(types.reset, 0, 2 * i + 1, uint32(8))])),
  ],
  [
    '90 streams that we are made to reset',
    many(2000, (i) => Buffer.concat([slow(i), frame(types.window, 0, 2 * i + 1, uint32(0))])),
  ],
  ['90 DATA behind the end', many(2000, (i) => Buffer.concat([slow(i), data(2 * i + 1, 'x')]))],
  ['91 more streams than allowed', many(2000, (i) => slow(i))],
  [
    '92 CONTINUATION without end',
    Buffer.concat([
      frame(types.headers, flags.endStream, 1, block(...request())),
      many(2000, () => frame(types.continuation, 0, 1, block(['x-a', 'a']))),
    ]),
  ],
  [
    '92 CONTINUATION without content',
    Buffer.concat([
      frame(types.headers, 0, 1, block(...request())),
      many(2000, () => frame(types.continuation, 0, 1)),
    ]),
  ],
  ['93 PING', many(5000, () => frame(types.ping, 0, 0, Buffer.alloc(8)))],
  ['94 SETTINGS', many(2000, () => settings([4, 65_535]))],
  [
    '94 one SETTINGS with thousands of entries',
    settings(...Array.from({ length: 2700 }, () => [4, 65_535] as const)),
  ],
  ['95 DATA without content', Buffer.concat([slow(0, false), many(5000, () => data(1, '', false))])],
  ['96 PRIORITY', many(5000, (i) => frame(types.priority, 0, 2 * i + 1, Buffer.from([0, 0, 0, 0, 5])))],
  [
    '18 WINDOW_UPDATE of crumbs',
    Buffer.concat([slow(0), many(5000, () => frame(types.window, 0, 1, uint32(1)))]),
  ],
  [
    '70 header lists that are too large',
    many(1000, (i) => headers(2 * i + 1, request('GET', '/', ...crumbs))),
  ],
  ['frames of unknown types', many(5000, () => frame(0x42, 0, 0, 'x'))],
]

describe('a flood ends its connection within a second', () => {
  test.each(floods)('%s', async (_, flood) => {
    const healthy = connectHttp2(plain.port)
    await ask(healthy)
    const peer = await RawHttp2.connect(plain.port)
    const began = performance.now()
    peer.send(flood)
    await peer.until(() => peer.closed)
    expect(performance.now() - began).toBeLessThan(1000)
    expect(peer.goawayCode).toBe(code.calm)
    expect((await ask(healthy)).content.toString()).toBe('app')
    healthy.destroy()
    peer.destroy()
  })
})

test('85 a client that takes nothing and one that sends nothing are given up, a call may be silent', async () => {
  const impatient = await startPlainDataPath([app.port], {
    clientTimeouts: { headMs: 10_000, idleMs: 60_000, streamIdleMs: 50 },
  })
  const peer = await RawHttp2.connect(impatient.port, [4, 0])
  const call = request('POST', '/slow', ['content-type', 'application/grpc'], ['te', 'trailers'])
  peer.send(headers(1, call, false), headers(3, request()), headers(5, request('POST', '/slow'), false))
  await peer.until(() => peer.resetCode(3) !== undefined && peer.resetCode(5) !== undefined)
  expect([peer.status(3), peer.resetCode(3), peer.resetCode(5)]).toEqual(['200', code.cancel, code.cancel])
  await peer.settle()
  expect(peer.resetCode(1)).toBeUndefined()
  peer.destroy()
  impatient.stop()
})

test('a client that ends its connection while its reply waits for a window is let go at once', async () => {
  const before = plain.dataPath.serveStats.outbound.closed
  const peer = await RawHttp2.connect(plain.port, [4, 0])
  peer.send(headers(1, request()))
  await peer.until(() => peer.status(1) === '200')
  peer.socket.end()
  await expect.poll(() => plain.dataPath.serveStats.outbound.closed).toBe(before + 1)
})
