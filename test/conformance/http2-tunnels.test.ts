/** Tunnels that a sidecar asks an upstream for (RFC 8441, RFC 9113 8.5), against one that speaks in frames. */
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import type { Layer } from '../../proxy/layer.ts'
import {
  data,
  frame,
  headers,
  RawHttp2,
  settings,
  settingsAck,
  startRawHttp2,
  types,
  uint32,
} from '../support/http2-frames.ts'
import { type PlainDataPath, setEndpoints, startPlainDataPath } from '../support/plain-data-path.ts'
import { exchangeRaw, RawClient } from '../support/raw-tcp.ts'
import { code } from './http2-row.ts'

const stops: (() => void)[] = []

afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

type Ended = { readonly status: number | undefined; readonly flag: string; readonly upstream: string }
type Started = {
  readonly plain: PlainDataPath
  readonly port: number
  readonly peer: () => RawHttp2
  /** Exchanges that are over. */
  readonly ended: readonly Ended[]
}

const offer = settings([8, 1])
const ok = [[':status', '200']] as const

/** Before an upstream that begins with `hello`, and does with each handshake what `reply` says. */
async function start(
  reply: (peer: RawHttp2, id: number) => void,
  hello: readonly Buffer[] = [offer, settingsAck],
  idleMs = 3_600_000,
): Promise<Started> {
  const ended: Ended[] = []
  const watch: Layer = (next) => (x, receiver) => {
    x.whenDone((_, done) => ended.push({ status: done?.status, flag: x.flag, upstream: x.upstreamAddress }))
    next(x, receiver)
  }
  const upstream = await startRawHttp2((peer) => {
    peer.send(...hello)
    peer.onFrame = ({ type, id }) => {
      if (type === types.headers) reply(peer, id)
    }
  })
  const clientTimeouts = { headMs: 10_000, idleMs, streamIdleMs: 300_000 }
  const plain = await startPlainDataPath([], { observers: [watch], clientTimeouts })
  setEndpoints(plain.dataPath, 'app', [upstream.port], undefined, { http2: true })
  stops.push(() => plain.stop(), upstream.stop)
  return { plain, port: upstream.port, peer: () => upstream.peers[0] as RawHttp2, ended }
}

const upgrade =
  'GET /chat HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
const connect = [
  [':method', 'CONNECT'],
  [':protocol', 'websocket'],
  [':scheme', 'http'],
  [':path', '/chat'],
  [':authority', 'app.test'],
] as const
const hasHead = (text: string): boolean => text.includes('\r\n\r\n')

function dial({ plain }: Started): RawClient {
  const client = new RawClient(plain.port)
  stops.push(() => client.destroy())
  return client
}

/** A client whose tunnel stands. */
async function open(started: Started): Promise<RawClient> {
  const client = dial(started)
  client.write(upgrade)
  expect(await client.take(hasHead)).toMatch(/^HTTP\/1\.1 101 /)
  return client
}

const agree = (peer: RawHttp2, id: number): void => peer.send(headers(id, ok, false))

test('nothing is decided before the first SETTINGS, however late they are', async () => {
  const started = await start(agree, [])
  const client = dial(started)
  client.write(upgrade)
  await expect.poll(() => started.peer()?.of(types.settings)).toHaveLength(1)
  await started.peer().until(() => started.peer().of(types.window).length > 0)
  expect(started.peer().of(types.headers)).toHaveLength(0)
  expect(client.pending).toBe('')
  started.peer().send(offer, settingsAck)
  expect(await client.take(hasHead)).toMatch(/^HTTP\/1\.1 101 /)
})

test('who does not offer it is not asked (501), and told of as well', async () => {
  const started = await start(agree, [settings(), settingsAck])
  const { text } = await exchangeRaw(started.plain.port, [upgrade], (seen) => seen.endsWith('h2c\n'))
  expect(text).toMatch(/^HTTP\/1\.1 501 [^]*\r\nweft-error: UPE\r\n\r\nUPGRADE_UNSUPPORTED: /)
  expect(text).toContain('SETTINGS_ENABLE_CONNECT_PROTOCOL')
  expect(started.peer().of(types.headers)).toHaveLength(0)
  const upstream = `127.0.0.1:${started.port}`
  expect(started.ended).toEqual([{ status: 501, flag: 'UPE', upstream }])
  const [endpoint] = started.plain.dataPath.clusters.get('app')?.endpoints ?? []
  expect([endpoint?.inFlight, endpoint?.health.inUse]).toEqual([0, true])
  // A failure counts as one of five seconds.
  expect(endpoint?.latencyMs(systemClock.monotonicMs())).toBeLessThan(1000)
})

test('an offer that comes later counts from then on', async () => {
  const started = await start(agree, [settings(), settingsAck])
  await exchangeRaw(started.plain.port, [upgrade], (seen) => seen.endsWith('h2c\n'))
  started.peer().send(offer)
  await started.peer().settle()
  await open(started)
})

test('an offer that was there may not be taken back', async () => {
  const started = await start(agree)
  await open(started)
  started.peer().send(settings([8, 0]))
  await started.peer().until(() => started.peer().goawayCode !== undefined)
  expect(started.peer().goawayCode).toBe(code.protocol)
})

test.each(['200', '204', '299'])(
  '%s is a 101 that is logged as one, whatever it says of a length',
  async (status) => {
    const started = await start((peer, id) =>
      peer.send(
        headers(
          id,
          [
            [':status', status],
            ['content-length', '3'],
          ],
          false,
        ),
        data(id, 'longer', false),
      ),
    )
    const client = dial(started)
    client.write(upgrade)
    const text = await client.take((seen) => seen.endsWith('longer'))
    expect(text).toMatch(/^HTTP\/1\.1 101 [^]*\r\n\r\nlonger$/)
    expect(text).not.toMatch(/content-length/i)
    expect(started.ended).toEqual([{ status: 101, flag: '', upstream: `127.0.0.1:${started.port}` }])
  },
)

test('a tunnel that its server ends at once is ended to the client, which may still write', async () => {
  const started = await start((peer, id) => peer.send(headers(id, ok, true)))
  const client = dial(started)
  client.socket.allowHalfOpen = true
  const ended = once(client.socket, 'end')
  client.write(upgrade)
  await ended
  expect(client.pending).toMatch(/^HTTP\/1\.1 101 [^]*\r\n\r\n$/)
  client.write('all of it')
  client.socket.end()
  await started.peer().until(() => started.peer().ended(1))
  expect(started.peer().content(1)).toBe('all of it')
})

test('a refusal ends the request, which is not reset', async () => {
  const started = await start((peer, id) => peer.send(headers(id, [[':status', '403']])))
  const { text } = await exchangeRaw(started.plain.port, [upgrade], hasHead)
  expect(text).toMatch(/^HTTP\/1\.1 403 /)
  await started.peer().settle()
  expect([started.peer().ended(1), started.peer().resetCode(1)]).toEqual([true, undefined])
})

test('what a server has said before it reads no more (NO_ERROR) arrives, and what comes then breaks off', async () => {
  const pieces = ['a', 'b', 'c'].map((letter) => letter.repeat(15_000))
  const started = await start((peer, id) => {
    peer.send(headers(id, ok, false), ...pieces.map((piece, i) => data(id, piece, i === 2)))
    peer.send(frame(types.reset, 0, id, uint32(code.none)))
  })
  // Most of it has to wait in the sidecar.
  const client = await RawHttp2.connect(started.plain.port, [4, 1000])
  stops.push(() => client.destroy())
  client.send(headers(1, connect, false))
  await client.until(() => client.content(1).length === 1000)
  client.send(frame(types.window, 0, 1, uint32(100_000)))
  await client.until(() => client.ended(1))
  expect(client.content(1)).toBe(pieces.join(''))
  client.send(data(1, 'too late', false))
  await client.until(() => client.resetCode(1) !== undefined)
  expect(client.resetCode(1)).toBe(code.cancel)
})

test('HEADERS on a tunnel end it', async () => {
  const started = await start(agree)
  const client = await open(started)
  started.peer().send(headers(1, [['x-end', '1']]))
  await started.peer().until(() => started.peer().resetCode(1) !== undefined)
  expect(started.peer().resetCode(1)).toBe(code.protocol)
  await client.take()
  expect(client.closed).toBe(true)
})

test('a client that gives up before the answer takes its request back', async () => {
  const started = await start(() => undefined)
  const client = dial(started)
  client.write(upgrade)
  await expect.poll(() => started.peer()?.of(types.headers)).toHaveLength(1)
  client.socket.resetAndDestroy()
  await started.peer().until(() => started.peer().resetCode(1) !== undefined)
  expect(started.peer().resetCode(1)).toBe(code.cancel)
})

test('a tunnel without a byte for its time is called off on both sides, and was counted', async () => {
  const started = await start(agree, undefined, 100)
  const client = await open(started)
  started.peer().send(data(1, 'abc', false))
  expect(await client.take((text) => text === 'abc')).toBe('abc')
  client.write('hello')
  const { inFlight } = started.plain.dataPath.clusters.get('app')?.endpoints[0] ?? {}
  expect(inFlight).toBe(0)
  await started.peer().until(() => started.peer().resetCode(1) !== undefined)
  expect(started.peer().resetCode(1)).toBe(code.cancel)
  await client.take()
  expect([client.closed, client.reset]).toEqual([true, false])
  const { readBytes, writtenBytes, live } = started.plain.dataPath.serveStats.outbound
  expect([readBytes, writtenBytes, live.size]).toEqual([5, 3, 0])
})
