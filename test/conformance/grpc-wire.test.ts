/** gRPC as it has to look on both sides of a sidecar: what is passed on as it is, and what is read and rewritten. */
import type http2 from 'node:http2'
import { afterEach, describe, expect, test } from 'vitest'
import { replyOf } from '../../proxy/telemetry/golden-stats.ts'
import { type AnsweringStream, startHttp2Application } from '../support/http2-application.ts'
import { connectHttp2 } from '../support/http2-client.ts'
import {
  data,
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
import { forwardRule, setEndpoints, startPlainDataPath } from '../support/plain-data-path.ts'

const endStream = 1
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

const call = {
  ':method': 'POST',
  ':authority': 'app.test',
  ':path': '/shop.Orders/Get',
  'content-type': 'application/grpc',
  te: 'trailers',
}
const message = Buffer.from([0, 0, 0, 0, 2, 104, 105])

type Started = {
  readonly port: number
  readonly session: http2.ClientHttp2Session
  /** The outcomes counted, one for each reply. */
  readonly counted: () => readonly object[]
}

async function start(answer: AnsweringStream, timeoutMs?: number): Promise<Started> {
  const app = await startHttp2Application(answer)
  cleanups.push(app.stop)
  const rule = { ...forwardRule({ cluster: 'app', weight: 1 }), timeoutMs }
  const { port, dataPath, stop } = await startPlainDataPath([app.port], {}, rule)
  cleanups.push(stop)
  const session = connectHttp2(port)
  cleanups.push(() => session.destroy())
  const counted = () =>
    dataPath.golden.all().flatMap((stats) =>
      [...stats.responses.keys()].map((key) => {
        const { grpcStatus, failed } = replyOf(key)
        return { grpcStatus, failed }
      }),
    )
  return { port, session, counted }
}

type Seen = {
  readonly headers: http2.IncomingHttpHeaders
  readonly flags: number
  readonly trailers: http2.IncomingHttpHeaders | undefined
  readonly content: Buffer
  readonly rstCode: number
}

/** Sends a call with one message, and gives all that comes back. */
function ask(session: http2.ClientHttp2Session, more: http2.OutgoingHttpHeaders = {}): Promise<Seen> {
  const stream = session.request({ ...call, ...more })
  let [headers, flags]: [http2.IncomingHttpHeaders, number] = [{}, 0]
  let trailers: http2.IncomingHttpHeaders | undefined
  const pieces: Buffer[] = []
  stream.on('response', (received, bits) => {
    headers = received
    flags = bits
  })
  stream.on('trailers', (received) => {
    trailers = received
  })
  stream.on('data', (piece: Buffer) => pieces.push(piece))
  stream.on('error', () => undefined)
  stream.end(message)
  return new Promise((resolve) => {
    stream.on('close', () =>
      resolve({ headers, flags, trailers, content: Buffer.concat(pieces), rstCode: stream.rstCode }),
    )
  })
}

const grpcHead = { ':status': 200, 'content-type': 'application/grpc' }

/** Replies with a message and these trailers. */
const answering =
  (trailers: http2.OutgoingHttpHeaders): AnsweringStream =>
  (stream) => {
    stream.resume()
    stream.respond(grpcHead, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers(trailers))
    stream.end(message)
  }

describe('a reply', () => {
  test('without messages stays one head that ends the stream, its message byte for byte', async () => {
    const { session, counted } = await start((stream) => {
      stream.resume()
      stream.respond({ ...grpcHead, 'grpc-status': '5', 'grpc-message': 'no%zz%E2' }, { endStream: true })
    })
    const { headers, flags, trailers } = await ask(session)
    expect(headers).toMatchObject({ 'grpc-status': '5', 'grpc-message': 'no%zz%E2' })
    expect([flags & endStream, trailers]).toEqual([endStream, undefined])
    await expect.poll(counted).toEqual([{ grpcStatus: 5, failed: false }])
  })

  test.each([
    ['0', 0, false],
    ['14', 14, true],
    ['17', 2, true],
    ['00', 2, true],
  ])('with messages and grpc-status %s in its trailers has them still', async (text, grpcStatus, failed) => {
    const { session, counted } = await start(answering({ 'grpc-status': text, 'x-bin': 'AAE' }))
    const { content, trailers, flags } = await ask(session)
    expect(content.equals(message)).toBe(true)
    expect([trailers, flags & endStream]).toEqual([
      expect.objectContaining({ 'grpc-status': text, 'x-bin': 'AAE' }),
      0,
    ])
    await expect.poll(counted).toEqual([{ grpcStatus, failed }])
  })

  test('that ends without a status is passed on, and counts as UNKNOWN', async () => {
    const { session, counted } = await start((stream) => {
      stream.resume()
      stream.respond(grpcHead)
      stream.end(message)
    })
    const { content, trailers } = await ask(session)
    expect([content.length, trailers]).toEqual([message.length, undefined])
    await expect.poll(counted).toEqual([{ grpcStatus: 2, failed: true }])
  })

  test('that is none of gRPC is passed on for the client to judge, and counts as what gRPC makes of it', async () => {
    const { session, counted } = await start((stream) => {
      stream.resume()
      stream.respond({ ':status': 503, 'content-type': 'text/html' })
      stream.end('<p>sorry')
    })
    const { headers, content } = await ask(session)
    expect([headers[':status'], content.toString()]).toEqual([503, '<p>sorry'])
    await expect.poll(counted).toEqual([{ grpcStatus: 14, failed: true }])
  })

  test('that breaks off is broken for the client too, and counts as INTERNAL', async () => {
    const { session, counted } = await start((stream) => {
      stream.resume()
      stream.respond(grpcHead)
      stream.write(message, () => stream.session?.destroy())
    })
    expect((await ask(session)).rstCode).not.toBe(0)
    await expect.poll(counted).toEqual([{ grpcStatus: 13, failed: true }])
  })
})

describe('what a server says by a reset before its reply is told in words of gRPC', () => {
  test.each([
    ['NO_ERROR', 0, '13'],
    ['INTERNAL_ERROR', 2, '13'],
    ['CANCEL', 8, '1'],
    ['ENHANCE_YOUR_CALM', 11, '8'],
    ['INADEQUATE_SECURITY', 12, '7'],
  ])('%s', async (_, rstCode, status) => {
    const { session, counted } = await start((stream) => stream.close(rstCode))
    const { headers, rstCode: own } = await ask(session)
    expect([headers[':status'], headers['grpc-status'], headers['weft-error'], own]).toEqual([
      200,
      status,
      'UC',
      0,
    ])
    await expect.poll(counted).toEqual([expect.objectContaining({ grpcStatus: Number(status) })])
  })

  test('REFUSED_STREAM was not looked at, and is tried again', async () => {
    let asked = 0
    const { session } = await start((stream, headers) => {
      if (++asked === 1) stream.close(7)
      else answering({ 'grpc-status': '0' })(stream, headers)
    })
    expect((await ask(session)).trailers).toMatchObject({ 'grpc-status': '0' })
  })
})

test('what gRPC needs of a proxy goes through as it is: te, metadata of bytes, and more than 8 KiB of it', async () => {
  const large = 'x'.repeat(9 * 1024)
  let seen: http2.IncomingHttpHeaders = {}
  const { session } = await start((stream, headers) => {
    seen = headers
    stream.resume()
    stream.respond({ ...grpcHead, 'x-large': large }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-large': large }))
    stream.end(message)
  })
  const metadata = {
    'a-bin': ['AAE=', 'AAE'],
    'b-bin': '!no base64',
    'x-large': large,
    'grpc-encoding': 'gzip',
    'grpc-accept-encoding': 'gzip, identity',
    'grpc-previous-rpc-attempts': '2',
    'grpc-unheard-of': 'yes',
  }
  const { headers, trailers } = await ask(session, metadata)
  expect(seen).toMatchObject({ ...metadata, 'a-bin': 'AAE=, AAE', te: 'trailers' })
  expect([headers['x-large'], trailers?.['x-large']]).toEqual([large, large])
})

test.each([
  [
    'in five pieces',
    (all: Buffer) => [0, 1, 2, 3, 4, 5].map((i) => all.subarray(i, i === 5 ? all.length : i + 1)),
  ],
  ['of 5 MB', () => [Buffer.alloc(5 * 1024 * 1024, 'weft')]],
  ['two at once', (all: Buffer) => [Buffer.concat([all, all])]],
] as const)('messages %s come out byte for byte', async (_, cut) => {
  const { session } = await start((stream) => {
    stream.respond(grpcHead)
    stream.pipe(stream)
  })
  const stream = session.request(call)
  const pieces = cut(message)
  const back: Buffer[] = []
  stream.on('data', (piece: Buffer) => back.push(piece))
  for (const piece of pieces) await new Promise<void>((resolve) => stream.write(piece, () => resolve()))
  stream.end()
  await new Promise((resolve) => stream.on('close', resolve))
  expect(Buffer.concat(back).equals(Buffer.concat(pieces))).toBe(true)
})

test('gRPC-Web is HTTP to us, its trailers among its content', async () => {
  const { session, counted } = await start((stream) => {
    stream.resume()
    stream.respond({ ':status': 200, 'content-type': 'application/grpc-web+proto' })
    stream.end(Buffer.concat([message, Buffer.from('\x80\0\0\0\x0fgrpc-status:14\n', 'latin1')]))
  })
  const { content } = await ask(session, { 'content-type': 'application/grpc-web+proto' })
  expect(content.toString('latin1')).toMatch(/grpc-status:14\n$/)
  await expect.poll(counted).toEqual([{ grpcStatus: undefined, failed: false }])
})

test('a call that its client gives up counts as CANCELLED, and is cancelled at the server', async () => {
  let code: number | undefined
  const { session, counted } = await start((stream) => {
    stream.respond(grpcHead)
    stream.write(message)
    stream.on('close', () => {
      code = stream.rstCode
    })
  })
  const stream = session.request(call)
  stream.on('error', () => undefined)
  stream.once('data', () => stream.close(8))
  await expect.poll(counted).toEqual([{ grpcStatus: 1, failed: false }])
  await expect.poll(() => code).toBe(8)
})

test.each([
  ['gives it up', (peer: RawHttp2) => peer.send(frame(types.reset, 0, 1, uint32(8)))],
  ['ends its connection', (peer: RawHttp2) => peer.socket.end()],
])('a call whose client %s while nothing is said is cancelled at the server at once', async (_, leave) => {
  let code: number | undefined
  const { port } = await start((stream) => {
    stream.resume()
    stream.respond(grpcHead)
    stream.on('close', () => {
      code = stream.rstCode
    })
  })
  const peer = await RawHttp2.connect(port)
  cleanups.push(() => peer.destroy())
  const grpc = [
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ] as const
  peer.send(headers(1, request('POST', '/shop.Orders/Watch', ...grpc), false), data(1, message))
  await peer.until(() => peer.status(1) === '200')
  leave(peer)
  await expect.poll(() => code).toBe(8)
})

test('a request without messages ends by DATA without content, as gRPC wants it', async () => {
  const upstream = await startRawHttp2((peer) => {
    peer.send(settings(), settingsAck)
    peer.onFrame = ({ type, id, flags }) => {
      if (type === types.data && flags === endStream)
        peer.send(
          headers(id, [
            [':status', '200'],
            ['grpc-status', '0'],
          ]),
        )
    }
  })
  const { port, dataPath, stop } = await startPlainDataPath([])
  setEndpoints(dataPath, 'app', [upstream.port], undefined, { http2: true })
  cleanups.push(stop, upstream.stop)
  const client = await RawHttp2.connect(port)
  cleanups.push(() => client.destroy())
  const head = request('POST', '/shop.Orders/Watch', ['content-type', 'application/grpc'])
  client.send(headers(1, head, false), data(1, ''), headers(3, head))
  await client.until(() => client.ended(1) && client.ended(3))
  expect([1, 3].map((id) => client.heads.get(id)?.[0]?.['grpc-status'])).toEqual(['0', '0'])
})

test('a head goes on before there is any message, in both directions', async () => {
  const { session } = await start((stream) => {
    stream.respond(grpcHead)
    stream.on('data', (piece: Buffer) => stream.write(piece))
    stream.on('end', () => stream.end())
  })
  const stream = session.request(call)
  const headers = await new Promise<http2.IncomingHttpHeaders>((resolve) => {
    stream.on('response', resolve)
  })
  expect(headers[':status']).toBe(200)
  for (let i = 0; i < 3; i++) {
    const back = new Promise((resolve) => stream.once('data', resolve))
    stream.write(message)
    expect(await back).toEqual(message)
  }
  stream.end()
  await new Promise((resolve) => stream.on('close', resolve))
})

describe('grpc-timeout', () => {
  /** The one that the server was sent. */
  async function sent(timeout: string | undefined, routeMs?: number): Promise<string | undefined> {
    let seen: string | undefined
    const { session } = await start((stream, headers) => {
      seen = headers['grpc-timeout'] as string | undefined
      answering({ 'grpc-status': '0' })(stream, headers)
    }, routeMs)
    await ask(session, timeout === undefined ? {} : { 'grpc-timeout': timeout })
    return seen
  }
  const microseconds = (text: string | undefined): number => Number(/^([0-9]{1,8})u$/.exec(text ?? '')?.[1])

  test('is sent on as what is left of it', async () => {
    const left = microseconds(await sent('5S'))
    expect(left).toBeLessThan(5_000_000)
    expect(left).toBeGreaterThan(1_000_000)
  })
  test('is that of the route where that is shorter, and also where there is none', async () => {
    for (const timeout of ['50S', undefined]) {
      const left = microseconds(await sent(timeout, 2_000))
      expect(left).toBeLessThanOrEqual(2_000_000)
      expect(left).toBeGreaterThan(100_000)
    }
  })
  test.each(['1s', '+1S', '100000000m', '1'])(
    'that is none, like %s, is passed on and not obeyed',
    async (text) => {
      expect(await sent(text)).toBe(text)
    },
  )
  test('that is over behind a message is told as CANCEL, of which a client makes DEADLINE_EXCEEDED', async () => {
    const { session, counted } = await start((stream) => {
      stream.respond(grpcHead)
      stream.write(message)
    })
    expect((await ask(session, { 'grpc-timeout': '50m' })).rstCode).toBe(8)
    await expect.poll(counted).toEqual([{ grpcStatus: 4, failed: true }])
  })
  test('that is over is told as DEADLINE_EXCEEDED, and the server is told to stop', async () => {
    let code: number | undefined
    const { session, counted } = await start((stream) => {
      stream.on('close', () => {
        code = stream.rstCode
      })
    })
    const { headers, flags } = await ask(session, { 'grpc-timeout': '50m' })
    expect(headers).toMatchObject({ ':status': 200, 'grpc-status': '4', 'weft-error': 'UT' })
    expect(flags & endStream).toBe(endStream)
    await expect.poll(() => code).toBe(8)
    expect(counted()).toEqual([{ grpcStatus: 4, failed: true }])
  })
})
