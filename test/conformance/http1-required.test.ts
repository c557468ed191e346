/** Upstreams that speak HTTP/2 and want HTTP/1.1 (HTTP_1_1_REQUIRED, RFC 9113 7), for one request or for all. */
import type { OutgoingHttpHeaders } from 'node:http2'
import net from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { ask, connectHttp2, type Http2Answer } from '../support/http2-client.ts'
import { frame, headers, RawHttp2, settings, settingsAck, types, uint32 } from '../support/http2-frames.ts'
import { type PlainDataPath, setEndpoints, startPlainDataPath } from '../support/plain-data-path.ts'

const http1Required = 13
const stops: (() => void)[] = []

afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

type Asking = (fields?: OutgoingHttpHeaders, content?: string) => Promise<Http2Answer>
type Upstream = {
  readonly port: number
  /** Connections of HTTP/2, and what those of HTTP/1 have sent. */
  readonly http2: readonly RawHttp2[]
  readonly http1: readonly string[]
}

/** Serves both protocols; `refuse` is what it does with a request of HTTP/2. */
async function startUpstream(
  refuse: (peer: RawHttp2, id: number) => void,
  hello: readonly Buffer[] = [],
): Promise<Upstream> {
  const [http2, http1]: [RawHttp2[], string[]] = [[], []]
  const server = net.createServer((socket) => {
    stops.push(() => socket.destroy())
    socket.once('data', (first: Buffer) => {
      if (!String(first).startsWith('PRI ')) {
        serveHttp1(socket, first, http1)
        return
      }
      const peer = new RawHttp2(socket, true)
      http2.push(peer)
      peer.send(settings(), settingsAck, ...hello)
      peer.onFrame = ({ type, id }) => {
        if (type === types.headers) refuse(peer, id)
      }
      socket.emit('data', first)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stops.push(() => server.close())
  return { port: (server.address() as net.AddressInfo).port, http2, http1 }
}

function serveHttp1(socket: net.Socket, first: Buffer, seen: string[]): void {
  const at = seen.push('') - 1
  const read = (bytes: Buffer): void => {
    seen[at] += bytes.toString('latin1')
    if (/\r\n\r\n(?:ab|0\r\n\r\n)?$/.test(seen[at] as string))
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  }
  socket.on('data', read).on('error', () => undefined)
  read(first)
}

async function start(
  { port }: Upstream,
  said: { readonly http2?: boolean } = {},
  overrides: Parameters<typeof startPlainDataPath>[1] = {},
): Promise<PlainDataPath> {
  const plain = await startPlainDataPath([], overrides)
  setEndpoints(plain.dataPath, 'app', [port], undefined, said)
  stops.push(() => plain.stop())
  return plain
}

function asking({ port }: PlainDataPath): Asking {
  const session = connectHttp2(port)
  stops.push(() => session.destroy())
  return (fields, content) => ask(session, fields, content)
}

const reset = (peer: RawHttp2, id: number): void =>
  peer.send(frame(types.reset, 0, id, uint32(http1Required)))

test('a request that is reset so goes to it over HTTP/1.1, with all of its content, and so do the next ones', async () => {
  const upstream = await startUpstream(reset)
  const plain = await start(upstream)
  const send = asking(plain)
  const answer = await send({ ':method': 'POST', ':path': '/a', 'content-length': '2' }, 'ab')
  expect([answer.status, String(answer.content)]).toEqual([200, 'ok'])
  expect(upstream.http1[0]).toMatch(/^POST \/a HTTP\/1\.1\r\n[^]*\r\n\r\nab$/)
  expect((await send()).status).toBe(200)
  expect(upstream.http2.map((peer) => peer.heads.size)).toEqual([1])
  const [endpoint] = plain.dataPath.clusters.get('app')?.endpoints ?? []
  expect([endpoint?.inFlight, endpoint?.health.inUse]).toEqual([0, true])
})

test('which is asked again after a minute, and at once with a call of gRPC, which HTTP/1.1 does not carry', async () => {
  const clock = new ManualClock()
  let asked = 0
  const answer = (peer: RawHttp2, id: number): void => {
    if (++asked === 1) reset(peer, id)
    else peer.send(headers(id, [[':status', '204']]))
  }
  const upstream = await startUpstream(answer)
  const send = asking(await start(upstream, {}, { clock }))
  const over = async (fields?: OutgoingHttpHeaders): Promise<number | undefined> =>
    (await send(fields)).status
  expect([await over(), await over()]).toEqual([200, 200])
  expect(await over({ ':method': 'POST', 'content-type': 'application/grpc' })).toBe(204)
  expect(await over()).toBe(200)
  clock.advance(60_000)
  expect(await over()).toBe(204)
})

test.each([
  ['of an endpoint that was said to speak HTTP/2 only', { http2: true }, {}],
  ['with more content than is kept', {}, { ':method': 'POST', 'content-length': '100000' }],
])('one %s fails, and says why', async (_, said, fields) => {
  const upstream = await startUpstream(reset)
  const send = asking(await start(upstream, said))
  const content = 'content-length' in fields ? 'x'.repeat(100_000) : ''
  const answer = await send({ ...fields }, content)
  expect([answer.status, answer.headers['weft-error']]).toEqual([502, 'UPE'])
  expect(String(answer.content)).toMatch(/^UPSTREAM_PROTOCOL_REFUSED: /)
  expect(upstream.http1).toEqual([])
})

test('a call of gRPC fails, which HTTP/1.1 does not carry', async () => {
  const upstream = await startUpstream(reset)
  const send = asking(await start(upstream))
  const answer = await send({ ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' })
  expect([answer.status, answer.headers['grpc-status']]).toEqual([200, '14'])
  expect(answer.headers['grpc-message']).toMatch(/^UPSTREAM_PROTOCOL_REFUSED: /)
  expect(upstream.http1).toEqual([])
})

test('what has been answered already is not sent again', async () => {
  const upstream = await startUpstream((peer, id) => {
    peer.send(headers(id, [[':status', '103']], false))
    reset(peer, id)
  })
  const answer = await asking(await start(upstream))()
  expect(answer.status).toBe(502)
  expect(upstream.http1).toEqual([])
})

test.each(['with its SETTINGS', 'at the first request'])(
  'a connection that ends so (GOAWAY) %s sends all requests over HTTP/1.1, and no more is opened',
  async (when) => {
    const goaway = frame(types.goaway, 0, 0, uint32(0, http1Required))
    const atOnce = when === 'with its SETTINGS'
    const upstream = await startUpstream((peer) => peer.send(goaway), atOnce ? [goaway] : [])
    const send = asking(await start(upstream))
    const answers = await Promise.all([send(), send(), send()])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect((await send()).status).toBe(200)
    expect(upstream.http2).toHaveLength(1)
    expect(upstream.http1.join('').match(/GET \/ HTTP\/1\.1\r\n/g)).toHaveLength(4)
  },
)
