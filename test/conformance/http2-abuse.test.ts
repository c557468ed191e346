/** Floods end their own connection, at once, and nobody else's requests: part E of the reference's list. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { frame, headers, RawHttp2, request, types, uint32 } from '../support/http2-frames.ts'
import { type Http2Application, startHttp2Application } from '../support/http2-application.ts'
import { ask, connectHttp2 } from '../support/http2-client.ts'
import { ownTimeMs } from '../support/own-time.ts'
import { type PlainDataPath, startPlainDataPath } from '../support/plain-data-path.ts'
import { floods } from './http2-floods.ts'
import { code } from './http2-row.ts'

let app: Http2Application
let plain: PlainDataPath

beforeAll(async () => {
  app = await startHttp2Application((stream, fields) => {
    if (fields[':path'] === '/slow') return
    stream.respond({ ':status': 200 })
    stream.end(fields[':path'] === '/long' ? 'x'.repeat(10_000) : 'app')
  })
  plain = await startPlainDataPath([app.port])
})

afterAll(async () => {
  plain.stop()
  await app.stop()
})

describe('a flood ends its connection within a second', () => {
  test.each(floods)('%s', async (_, flood) => {
    const healthy = connectHttp2(plain.port)
    await ask(healthy)
    const peer = await RawHttp2.connect(plain.port)
    const began = ownTimeMs()
    peer.send(flood)
    await peer.until(() => peer.closed)
    expect(ownTimeMs() - began).toBeLessThan(1000)
    expect(peer.goawayCode).toBe(code.calm)
    expect((await ask(healthy)).content.toString()).toBe('app')
    healthy.destroy()
    peer.destroy()
  })
})

test('a client that floods and does not read is cut off within a second', async () => {
  const { closed } = plain.dataPath.serveStats.outbound
  const peer = await RawHttp2.connect(plain.port)
  peer.socket.pause()
  const began = ownTimeMs()
  peer.send(Buffer.concat(Array.from({ length: 50_000 }, () => frame(types.ping, 0, 0, Buffer.alloc(8)))))
  await expect.poll(() => plain.dataPath.serveStats.outbound.closed, { interval: 20 }).toBe(closed + 1)
  expect(ownTimeMs() - began).toBeLessThan(1000)
  peer.destroy()
})

test('85 a client that takes nothing, or crumbs, and one that sends nothing are given up, a call may be silent', async () => {
  const impatient = await startPlainDataPath([app.port], {
    clientTimeouts: { headMs: 10_000, idleMs: 60_000, streamIdleMs: 50 },
  })
  const peer = await RawHttp2.connect(impatient.port, [4, 0])
  const call = request('POST', '/slow', ['content-type', 'application/grpc'], ['te', 'trailers'])
  peer.send(headers(1, call, false), headers(3, request()), headers(5, request('POST', '/slow'), false))
  peer.send(headers(7, request('GET', '/long')))
  const crumbs = setInterval(() => peer.send(frame(types.window, 0, 7, uint32(1))), 20)
  await peer.until(() => [3, 5, 7].every((id) => peer.resetCode(id) !== undefined))
  clearInterval(crumbs)
  expect([peer.status(3), ...[3, 5, 7].map((id) => peer.resetCode(id))]).toEqual([
    '200',
    code.cancel,
    code.cancel,
    code.cancel,
  ])
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
