/** CONNECT over HTTP/2: a stream becomes a connection, where HTTP/1's would (RFC 9113 8.5). */
import { once } from 'node:events'
import type http2 from 'node:http2'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { freePorts } from '../../cli/demo/ports.ts'
import type { DataPathOptions } from '../../proxy/data-path-options.ts'
import { ask, connectHttp2 } from '../support/http2-client.ts'
import { data, frame, headers, RawHttp2, request, types, uint32 } from '../support/http2-frames.ts'
import { type HttpApplication, startHttpApplication } from '../support/http-application.ts'
import { type PlainDataPath, setEndpoints, startPlainDataPath } from '../support/plain-data-path.ts'

const connectError = 10
const cancel = 8

/** The application's end of the tunnel of the current test. */
let server: net.Socket
let tcp: net.Server
let app: HttpApplication
let plain: PlainDataPath
let accepted: Promise<net.Socket>

async function setUp(overrides: Partial<DataPathOptions> = {}): Promise<PlainDataPath> {
  const made = await startPlainDataPath([app.port], overrides)
  setEndpoints(made.dataPath, 'db', [portOf(tcp)])
  made.dataPath.setTcpRoute('db.test:5432', { clusters: [{ cluster: 'db', weight: 1 }], opaque: true })
  return made
}

const portOf = (listening: net.Server): number => (listening.address() as net.AddressInfo).port

beforeAll(async () => {
  tcp = net.createServer({ allowHalfOpen: true, noDelay: true })
  tcp.listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  app = await startHttpApplication('app')
  plain = await setUp()
})

beforeEach(() => {
  accepted = once(tcp, 'connection').then(([socket]) => {
    server = socket as net.Socket
    server.on('error', () => undefined)
    return server
  })
})

afterAll(async () => {
  plain.stop()
  tcp.close()
  await app.stop()
})

function session(port = plain.port): http2.ClientHttp2Session {
  const made = connectHttp2(port)
  onTestFinished(() => made.destroy())
  return made
}

function connect(via: http2.ClientHttp2Session, authority = 'db.test:5432'): http2.ClientHttp2Stream {
  const stream = via.request({ ':method': 'CONNECT', ':authority': authority })
  stream.on('error', () => undefined)
  return stream
}

/** An open tunnel and the socket at its end. */
async function open(via = session()): Promise<http2.ClientHttp2Stream> {
  const stream = connect(via)
  const [fields] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
  expect(fields[':status']).toBe(200)
  await accepted
  return stream
}

/** As `open`, frame by frame: the tunnel is stream 1. */
async function openRaw(port = plain.port, ...own: readonly (readonly [number, number])[]): Promise<RawHttp2> {
  const peer = await RawHttp2.connect(port, ...own)
  onTestFinished(() => peer.destroy())
  peer.send(headers(1, connectHead, false))
  await peer.until(() => peer.status(1) === '200')
  await accepted
  return peer
}

/** Everything up to the end; by events, as an iterator would close the other direction too. */
function all(from: Duplex): Promise<Buffer> {
  const pieces: Buffer[] = []
  from.on('data', (piece: Buffer) => pieces.push(piece))
  return new Promise((resolve) => from.once('end', () => resolve(Buffer.concat(pieces))))
}

describe('a tunnel', () => {
  test('carries bytes both ways, those that came before its reply first', async () => {
    const stream = connect(session())
    stream.write('early ')
    await accepted
    stream.end('late')
    expect(String(await all(server))).toBe('early late')
    server.end('answer')
    expect(String(await all(stream))).toBe('answer')
    await expect.poll(() => plain.dataPath.tcp.all()[0]?.closed).toBe(1)
    const counted = plain.dataPath.tcp.all()[0]
    expect([counted?.writtenBytes, counted?.readBytes]).toEqual([10, 6])
  })

  test('leaves its connection to the requests of others', async () => {
    const via = session()
    const stream = await open(via)
    expect((await ask(via)).status).toBe(200)
    server.write('still here')
    expect(String((await once(stream, 'data'))[0])).toBe('still here')
  })

  test('carries 8 MB each way, byte for byte, at the pace of who reads', async () => {
    const bytes = Buffer.alloc(8 * 1024 * 1024, 'a piece of some length')
    const stream = await open()
    const received = all(server)
    stream.end(bytes)
    // Nobody reads the other direction meanwhile: it has to wait and not to fill the memory.
    const flushed = new Promise<void>((resolve) => server.end(bytes, () => resolve()))
    expect((await received).equals(bytes)).toBe(true)
    expect((await all(stream)).equals(bytes)).toBe(true)
    await flushed
  })

  test('that the server ends first takes what its client still has to say', async () => {
    const peer = await openRaw()
    server.end('all I have')
    await peer.until(() => peer.ended(1))
    expect(peer.content(1)).toBe('all I have')
    const received = all(server)
    peer.send(data(1, 'last words'))
    expect(String(await received)).toBe('last words')
    await peer.settle()
    expect([peer.resetCode(1), peer.closed]).toEqual([undefined, false])
  })

  test.each([
    ['', false],
    [' after its end', true],
  ])('whose server is cut off%s is told to its client as CONNECT_ERROR', async (_, ends) => {
    const peer = await openRaw()
    if (ends) server.end()
    if (ends) await peer.until(() => peer.ended(1))
    server.resetAndDestroy()
    // After an end nothing is read, and a write has to find out.
    for (let i = 0; i < 2; i++) {
      peer.send(data(1, 'x', false))
      await peer.settle()
    }
    await peer.until(() => peer.resetCode(1) !== undefined)
    expect(peer.resetCode(1)).toBe(connectError)
  })

  test.each([
    ['gives it up', (peer: RawHttp2) => peer.send(frame(types.reset, 0, 1, uint32(cancel)))],
    ['ends its connection', (peer: RawHttp2) => peer.socket.end()],
    ['cuts its connection', (peer: RawHttp2) => peer.socket.resetAndDestroy()],
    [
      'gives it up after its end',
      (peer: RawHttp2) => peer.send(data(1, ''), frame(types.reset, 0, 1, uint32(cancel))),
    ],
  ])('whose client %s is cut off for the server', async (_, leave) => {
    const peer = await openRaw()
    let failed = ''
    server.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
      failed = code
    })
    server.resume()
    leave(peer)
    // A socket that has read an end learns of a RST by writing.
    await expect.poll(() => server.destroyed || (server.write('x'), server.destroyed)).toBe(true)
    expect(['ECONNRESET', 'EPIPE']).toContain(failed)
  })

  test('that nobody uses for too long is closed', async () => {
    const timeouts = { headMs: 10_000, idleMs: 50, streamIdleMs: 300_000 }
    const impatient = await setUp({ clientTimeouts: timeouts })
    onTestFinished(() => impatient.stop())
    const peer = await openRaw(impatient.port)
    await peer.until(() => peer.resetCode(1) !== undefined)
    expect(peer.resetCode(1)).toBe(cancel)
  })

  test('has no room for header blocks', async () => {
    const peer = await openRaw()
    peer.send(headers(1, [['x-trailer', 'a']]))
    await peer.until(() => peer.resetCode(1) !== undefined)
    expect(peer.resetCode(1)).toBe(1)
  })

  test('obeys the window of its client', async () => {
    const peer = await openRaw(plain.port, [4, 3])
    server.write('abcdefgh')
    await peer.until(() => peer.content(1) === 'abc')
    await peer.settle()
    expect(peer.content(1)).toBe('abc')
    peer.send(frame(types.window, 0, 1, uint32(100)))
    await peer.until(() => peer.content(1) === 'abcdefgh')
  })
})

const connectHead = [
  [':method', 'CONNECT'],
  [':authority', 'db.test:5432'],
] as const

describe('it is refused', () => {
  test.each([
    ['to a destination that takes requests only', 'app.test:80', 405],
    ['to one that the mesh does not know', 'elsewhere.example:443', 405],
  ])('%s', async (_, authority, status) => {
    const via = session()
    const answer = await ask(via, { ':method': 'CONNECT', ':authority': authority, ':path': undefined })
    expect(answer.status).toBe(status)
    expect(String(answer.content)).toBe('REQUEST_MALFORMED: CONNECT is not allowed here\n')
    expect((await ask(via)).status).toBe(200)
  })

  test('where the client takes us for the server that it dialled', async () => {
    const redirected = await setUp({ originalDestination: () => '10.0.0.1:80', outboundPolicy: 'allow' })
    onTestFinished(() => redirected.stop())
    const [fields] = await once(connect(session(redirected.port)), 'response')
    expect(fields[':status']).toBe(405)
  })

  test('with 503 where nobody accepts, and its connection goes on', async () => {
    const lonely = await setUp()
    onTestFinished(() => lonely.stop())
    setEndpoints(lonely.dataPath, 'db', await freePorts(1))
    const via = session(lonely.port)
    const [fields] = await once(connect(via), 'response')
    expect([fields[':status'], fields['weft-error']]).toEqual([503, 'UF'])
    expect((await ask(via)).status).toBe(200)
  })

  test.each([
    ['a content-length', [...connectHead, ['content-length', '0']]],
    ['another Host', [...connectHead, ['host', 'app.test']]],
    ['no port', [connectHead[0], [':authority', 'db.test']]],
  ] as const)('as malformed with %s', async (_, fields) => {
    const peer = await RawHttp2.connect(plain.port)
    onTestFinished(() => peer.destroy())
    peer.send(headers(1, fields, false), data(1, 'for nobody', false))
    await peer.until(() => peer.resetCode(1) !== undefined)
    expect(peer.resetCode(1)).toBe(1)
    peer.send(headers(3, request()))
    await peer.until(() => peer.ended(3))
    expect(peer.status(3)).toBe('200')
  })
})

test('where the policy allows it, one is opened to what the mesh does not know', async () => {
  const open = await setUp({ outboundPolicy: 'allow' })
  onTestFinished(() => open.stop())
  const stream = connect(session(open.port), `127.0.0.1:${portOf(tcp)}`)
  stream.write('hello')
  await accepted
  expect(String((await once(server, 'data'))[0])).toBe('hello')
})
