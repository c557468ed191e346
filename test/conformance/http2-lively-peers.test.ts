/** What sane peers do a lot of is not taken for a flood: it follows from what they are sent, and breaks no request. */
import { afterEach, describe, expect, test } from 'vitest'
import {
  data,
  flags,
  type Frame,
  frame,
  headers,
  RawHttp2,
  request,
  settings,
  settingsAck,
  startRawHttp2,
  types,
  uint32,
} from '../support/http2-frames.ts'
import { type PlainDataPath, setEndpoints, startPlainDataPath } from '../support/plain-data-path.ts'

type Upstream = Awaited<ReturnType<typeof startRawHttp2>>

const ping = frame(types.ping, 0, 0, Buffer.alloc(8))
const ok = [[':status', '200']] as const
const stops: (() => void)[] = []

afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

/** Before an upstream that is told of each frame. */
async function start(
  onFrame: (peer: RawHttp2, one: Frame) => void,
): Promise<{ readonly plain: PlainDataPath; readonly upstream: Upstream }> {
  const upstream = await startRawHttp2((peer) => {
    peer.send(settings(), settingsAck)
    peer.onFrame = (one) => onFrame(peer, one)
  })
  const plain = await startPlainDataPath([])
  setEndpoints(plain.dataPath, 'app', [upstream.port], undefined, { http2: true })
  stops.push(() => plain.stop(), upstream.stop)
  return { plain, upstream }
}

async function connect(port: number): Promise<RawHttp2> {
  const peer = await RawHttp2.connect(port)
  stops.push(() => peer.destroy())
  return peer
}

describe('1500 requests, one after the other, of a client that', () => {
  const window = (id: number, bytes: number): Buffer => frame(types.window, 0, id, uint32(bytes))
  const rows: readonly (readonly [string, (id: number) => readonly Buffer[]])[] = [
    ['measures the connection after each reply, as gRPC in Go does', () => [window(0, 5), ping]],
    ['gives back each crumb, to streams that are over as well', (id) => [window(0, 5), window(id, 5)]],
  ]

  test.each(rows)('%s', async (_, afterReply) => {
    const { plain } = await start((peer, { type, id }) => {
      if (type === types.headers) peer.send(headers(id, ok, false), data(id, 'hello'))
    })
    const client = await connect(plain.port)
    for (let i = 0; i < 1500 && !client.closed; i++) {
      const id = 2 * i + 1
      client.send(headers(id, request()))
      await client.until(() => client.ended(id))
      client.frames.length = 0
      client.send(...afterReply(id))
    }
    await client.settle()
    expect([client.goawayCode, client.status(2999)]).toEqual([undefined, '200'])
  })
})

test('a server that measures the connection after each message breaks no call', async () => {
  const { plain, upstream } = await start((peer, { type, id, flags: flag }) => {
    if (type === types.data && (flag & flags.endStream) === 0) peer.send(ping)
    if (type === types.data && (flag & flags.endStream) !== 0)
      peer.send(headers(id, ok, false), data(id, 'all'))
  })
  const client = await connect(plain.port)
  client.send(headers(1, request('POST'), false))
  await expect.poll(() => upstream.peers[0]?.of(types.headers).length).toBe(1)
  const server = upstream.peers[0] as RawHttp2
  for (let i = 1; i <= 1500 && !server.closed; i++) {
    client.send(data(1, 'message', false))
    await server.until(() => server.of(types.ping).length > 0)
    server.frames.length = 0
  }
  client.send(data(1, ''))
  await client.until(() => client.ended(1))
  expect(client.content(1)).toBe('all')
})

test('142 a thousand replies that are called off at once break no other on their connection, which goes on with them', async () => {
  const began: number[] = []
  const { plain, upstream } = await start((peer, { type, id }) => {
    if (type !== types.headers) return
    began.push(id)
    if (began.length <= 960) peer.send(headers(id, ok, false), data(id, 'begun', false))
    else peer.send(headers(id, ok, false), data(id, 'healthy'))
  })
  const clients = await Promise.all([1, 2, 3, 4].map(() => connect(plain.port)))
  for (const client of clients)
    client.send(...Array.from({ length: 240 }, (_, i) => headers(2 * i + 1, request())))
  await Promise.all(clients.map((client) => client.until(() => client.of(types.data).length === 240)))
  for (const client of clients) client.destroy()
  const server = upstream.peers[0] as RawHttp2
  await server.until(() => server.of(types.reset).length === 960)
  // On its way before the server knew.
  for (const id of began.slice(0, 960)) server.send(data(id, 'more', false), headers(id, [['x-end', 'a']]))
  const healthy = await connect(plain.port)
  healthy.send(headers(1, request()))
  await healthy.until(() => healthy.ended(1))
  expect([healthy.content(1), upstream.peers.length, server.goawayCode]).toEqual(['healthy', 1, undefined])
})

test('the last GOAWAY names no stream that the one before left out', async () => {
  const { plain } = await start(() => undefined)
  const client = await connect(plain.port)
  client.onFrame = ({ type, flags: flag, payload }) => {
    if (type === types.ping && flag === 0) client.send(frame(types.ping, flags.ack, 0, payload))
  }
  client.send(headers(1, request()))
  await client.settle()
  void plain.dataPath.drain()
  await client.until(() => client.of(types.goaway).length === 2)
  client.send(headers(3, request()), headers(5, request()), data(0, 'no stream'))
  await client.until(() => client.closed)
  expect(client.of(types.goaway).map(({ payload }) => payload.readUInt32BE(0))).toEqual([0x7fff_ffff, 1, 1])
})
