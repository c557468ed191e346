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

describe('1500 requests, many at a time, of a client that', () => {
  const cancel = (id: number): Buffer => frame(types.reset, 0, id, uint32(8))
  const urgency = (id: number): Buffer => frame(0x10, 0, 0, Buffer.concat([uint32(id), Buffer.from('u=1')]))
  const rank = (id: number): Buffer => frame(types.priority, 0, id, Buffer.from([0, 0, 0, 0, 5]))
  const rows: readonly (readonly [string, number, (id: number) => readonly Buffer[]])[] = [
    ['says of each how urgent it is', 1, (id) => [urgency(id)]],
    ['ranks each by PRIORITY', 1, (id) => [rank(id)]],
    ['calls each fifth off, as who hedges does', 5, (id) => [cancel(id)]],
    ['measures the connection with each that it calls off, as Go does', 5, (id) => [cancel(id), ping]],
  ]

  test.each(rows)('%s', async (_, every, behind) => {
    const { plain } = await start((peer, { type, id }) => {
      if (type === types.headers && peer.heads.get(id)?.[0]?.[':path'] === '/') peer.send(headers(id, ok))
    })
    const client = await connect(plain.port)
    for (let i = 0; i < 1500 && !client.closed; i += 50) {
      const ids = Array.from({ length: 50 }, (__, j) => 2 * (i + j) + 1)
      const chosen = ids.filter((___, j) => j % every === 0)
      const waits = (id: number): boolean => every > 1 && chosen.includes(id)
      client.send(...ids.map((id) => headers(id, request('GET', waits(id) ? '/slow' : '/'))))
      await client.until(() => ids.every((id) => waits(id) || client.ended(id)))
      client.send(...chosen.flatMap(behind))
      client.frames.length = 0
    }
    await client.settle()
    expect([client.goawayCode, client.status(2999)]).toEqual([undefined, '200'])
  })
})

test.each([
  ['whose time is up, again and again, is no flood', '50m', undefined],
  ['who have a second is one', '1S', 11],
] as const)('142 who gives up calls %s', async (_, timeout, goaway) => {
  const { plain } = await start(() => undefined)
  const client = await connect(plain.port)
  const call = request('POST', '/a.B/C', ['content-type', 'application/grpc'], ['grpc-timeout', timeout])
  for (let wave = 0; wave < 4 && !client.closed; wave++) {
    const all = Array.from({ length: 250 }, (__, i) => 2 * (250 * wave + i) + 1)
    client.send(...all.map((id) => headers(id, call)))
    client.send(...all.map((id) => frame(types.reset, 0, id, uint32(8))))
    await client.settle()
  }
  expect(client.goawayCode).toBe(goaway)
})

test('142 all calls that a client may have at once can end by their deadline at once', async () => {
  const { plain } = await start(() => undefined)
  const client = await connect(plain.port)
  const all = Array.from({ length: 256 }, (_, i) => 2 * i + 1)
  client.send(
    ...all.map((id) => headers(id, request())),
    ...all.map((id) => frame(types.reset, 0, id, uint32(8))),
  )
  await client.settle()
  expect([client.goawayCode, client.closed]).toEqual([undefined, false])
})

test('142 a thousand replies that are called off at once break no other on their connection', async () => {
  const began: number[] = []
  const { plain, upstream } = await start((peer, { type, id }) => {
    if (type !== types.headers) return
    began.push(id)
    peer.send(headers(id, ok, false), data(id, 'begun', false))
  })
  const healthy = await connect(plain.port)
  healthy.send(headers(1, request()))
  await expect.poll(() => began.length).toBe(1)
  const [kept = 0] = began
  const clients = await Promise.all([1, 2, 3, 4].map(() => connect(plain.port)))
  for (const client of clients)
    client.send(...Array.from({ length: 240 }, (_, i) => headers(2 * i + 1, request())))
  await Promise.all(clients.map((client) => client.until(() => client.of(types.data).length === 240)))
  for (const client of clients) client.destroy()
  const server = upstream.peers[0] as RawHttp2
  await server.until(() => server.of(types.reset).length === 960)
  // On its way before the server knew.
  for (const id of began.slice(1)) server.send(data(id, 'more', false), headers(id, [['x-end', 'a']]))
  server.send(data(kept, 'healthy'))
  await healthy.until(() => healthy.ended(1))
  await server.until(() => server.goawayCode !== undefined)
  expect([healthy.content(1), server.goawayCode]).toEqual(['begunhealthy', 0])
})

test('142 and the next ones go over another connection, as servers count resets and end what has too many', async () => {
  const { plain, upstream } = await start((peer, { type, id }) => {
    if (type === types.headers && peer.heads.get(id)?.[0]?.[':path'] === '/') peer.send(headers(id, ok))
  })
  const client = await connect(plain.port)
  const ask = async (id: number): Promise<void> => {
    client.send(headers(id, request()))
    await client.until(() => client.ended(id))
  }
  await ask(1)
  const mostResets: number[] = []
  for (let wave = 0; wave < 10; wave++) {
    const other = await connect(plain.port)
    const all = Array.from({ length: 150 }, (_, i) => 2 * i + 1)
    other.send(...all.map((id) => headers(id, request('GET', '/slow'))))
    await other.settle()
    other.send(...all.map((id) => frame(types.reset, 0, id, uint32(8))))
    await other.settle()
    await ask(3 + 2 * wave)
    mostResets.push(Math.max(...upstream.peers.map((peer) => peer.of(types.reset).length)))
  }
  expect(Math.max(...mostResets)).toBeLessThanOrEqual(450)
  expect(upstream.peers.length).toBeLessThanOrEqual(6)
})

test('98 a client that is about to run out of ids is served, and told to open another connection', async () => {
  const { plain } = await start((peer, { type, id }) => {
    if (type === types.headers) peer.send(headers(id, ok))
  })
  const client = await connect(plain.port)
  client.onFrame = ({ type, flags: flag, payload }) => {
    if (type === types.ping && flag === 0) client.send(frame(types.ping, flags.ack, 0, payload))
  }
  client.send(headers(2 ** 30 - 1, request()))
  await client.until(() => client.ended(2 ** 30 - 1))
  await client.settle()
  expect(client.goawayCode).toBeUndefined()
  client.send(headers(0x7fff_ffff, request()))
  await client.until(() => client.closed)
  expect([client.status(0x7fff_ffff), client.goawayCode]).toEqual(['200', 0])
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
