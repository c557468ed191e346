/** WebSockets to an application that speaks HTTP/2 only (RFC 8441), of clients of both protocols, through two sidecars. */
import { once } from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type Http2Application, startHttp2Application } from '../support/http2-application.ts'
import { connectHttp2 } from '../support/http2-client.ts'
import { type MeshPair, startMeshPair } from '../support/mesh-pair.ts'
import { RawClient } from '../support/raw-tcp.ts'
import { webSocketOn } from '../support/stream-web-socket.ts'

type Accepted = { readonly stream: http2.ServerHttp2Stream; readonly headers: http2.IncomingHttpHeaders }

let app: Http2Application
let pair: MeshPair
/** What the application does with the next handshake. */
let answer: (accepted: Accepted) => void
const accept = ({ stream }: Accepted): void => stream.respond({ ':status': 200 })

beforeAll(async () => {
  app = await startHttp2Application((stream, headers) => answer({ stream, headers }), {
    enableConnectProtocol: true,
  })
  pair = await startMeshPair(app.port, {}, undefined, true)
})

afterAll(async () => {
  pair.stop()
  await app.stop()
})

beforeEach(() => {
  answer = accept
})

/** The application's side of the next handshake, once it was answered. */
function nextAccepted(): Promise<Accepted> {
  const doing = answer
  return new Promise((resolve) => {
    answer = (accepted) => {
      doing(accepted)
      resolve(accepted)
    }
  })
}

/** Of HTTP/2. */
const handshake = {
  ':method': 'CONNECT',
  ':protocol': 'websocket',
  ':scheme': 'http',
  ':path': '/chat',
  ':authority': 'app.test',
  'sec-websocket-version': '13',
}
const key = 'dGhlIHNhbXBsZSBub25jZQ=='
/** Of RFC 6455 1.3, as the key is. */
const acceptOfKey = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
const upgrade = (more = `Sec-WebSocket-Key: ${key}\r\n`, method = 'GET', token = 'websocket'): string =>
  `${method} /chat HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: ${token}\r\nSec-WebSocket-Version: 13\r\n${more}\r\n`
const hasHead = (text: string): boolean => text.includes('\r\n\r\n')

function rawClient(): RawClient {
  const client = new RawClient(pair.port)
  onTestFinished(() => client.destroy())
  return client
}

/** A tunnel of HTTP/1, and what the client got with the 101. */
async function overHttp1(): Promise<Duplex> {
  const socket = net.connect({ port: pair.port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  onTestFinished(() => void socket.destroy())
  socket.write(upgrade())
  const [head] = (await once(socket, 'data')) as [Buffer]
  expect(String(head)).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n[^]*\r\n\r\n$/)
  return socket
}

async function overHttp2(): Promise<Duplex> {
  const session = connectHttp2(pair.port)
  onTestFinished(() => session.destroy())
  await once(session, 'remoteSettings')
  const stream = session.request(handshake)
  stream.on('error', () => undefined)
  const [fields] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
  expect(fields[':status']).toBe(200)
  return stream
}

describe.each([
  ['HTTP/1.1', overHttp1],
  ['HTTP/2', overHttp2],
] as const)('a tunnel of %s', (protocol, connect) => {
  /** Both ends of one tunnel. */
  async function open(): Promise<{ readonly client: Duplex; readonly stream: http2.ServerHttp2Stream }> {
    const accepted = nextAccepted()
    const client = await connect()
    return { client, stream: (await accepted).stream }
  }

  test('text, bytes, 1 MB and the closing handshake arrive both ways', async () => {
    const { client, stream } = await open()
    const ends = [webSocketOn(client, 'client'), webSocketOn(stream, 'server')] as const
    const big = Buffer.alloc(1024 * 1024, 'weft')
    for (const [from, to] of [ends, [ends[1], ends[0]]] as const) {
      for (const message of ['häßlich', Buffer.from([0, 255]), big]) {
        const arrived = once(to, 'message')
        from.send(message)
        expect((await arrived)[0].equals(Buffer.from(message as string))).toBe(true)
      }
    }
    const closed = Promise.all([once(ends[1], 'close'), once(stream, 'close'), once(client, 'close')])
    ends[0].close(4321, 'done')
    expect((await closed)[0][0]).toBe(4321)
    // Node's client may reset what it has ended.
    if (protocol === 'HTTP/1.1') expect(stream.rstCode).toBe(0)
  })

  test.each(['client', 'application'])('the %s may stop sending and still be sent to', async (first) => {
    const { client, stream } = await open()
    const [ending, staying] = first === 'client' ? [client, stream] : [stream, client]
    staying.resume()
    const ended = once(staying, 'end')
    // Node resets a stream whose end was said while nobody reads it.
    const late = once(ending, 'data')
    ending.end('last words')
    await ended
    staying.write('late answer')
    expect(String((await late)[0])).toBe('late answer')
    const closed = Promise.all([once(client, 'close'), once(stream, 'close')])
    staying.end()
    await closed
    expect(stream.rstCode).toBe(0)
  })

  test('a client that breaks off is a stream that is called off (CANCEL)', async () => {
    const { client, stream } = await open()
    const closed = once(stream, 'close')
    if (client instanceof net.Socket) client.resetAndDestroy()
    else (client as http2.ClientHttp2Stream).close(http2.constants.NGHTTP2_INTERNAL_ERROR)
    await closed
    expect(stream.rstCode).toBe(http2.constants.NGHTTP2_CANCEL)
  })

  test('an application that breaks off breaks off the client', async () => {
    const { client, stream } = await open()
    let failed: NodeJS.ErrnoException | undefined
    client.on('error', (error) => {
      failed = error
    })
    const closed = once(client, 'close')
    client.resume()
    stream.destroy(new Error('broken'))
    await closed.catch(() => undefined)
    if (protocol === 'HTTP/1.1') expect(failed?.code).toBe('ECONNRESET')
    else expect((client as http2.ClientHttp2Stream).rstCode).toBe(http2.constants.NGHTTP2_CANCEL)
  })

  test.each(['client', 'application'])('nobody piles up what the %s does not read', async (slow) => {
    const { client, stream } = await open()
    const [from, to] = slow === 'client' ? [stream, client] : [client, stream]
    const [piece, total] = [Buffer.alloc(256 * 1024, 'x'), 32 * 1024 * 1024]
    let written = 0
    const write = (): void => {
      while (written < total) {
        written += piece.length
        if (!from.write(piece)) return
      }
      from.end()
    }
    to.pause()
    from.on('drain', write).resume()
    write()
    await untilStill(() => written)
    expect(written).toBeLessThan(total)
    let read = 0
    to.on('data', (bytes: Buffer) => {
      read += bytes.length
    })
    to.resume()
    await once(to, 'end')
    expect(read).toBe(total)
  })

  test('a server that takes its leave (GOAWAY) lets it go on', async () => {
    const { client, stream } = await open()
    stream.session?.close()
    const arrived = once(client, 'data')
    stream.write('still here')
    expect(String((await arrived)[0])).toBe('still here')
    const back = once(stream, 'data')
    client.write('and here')
    expect(String((await back)[0])).toBe('and here')
  })
})

/** Resolves once `count` has not changed for a quarter of a second. */
async function untilStill(count: () => number): Promise<void> {
  let [seen, sinceMs] = [-1, 0]
  await expect
    .poll(
      () => {
        if (count() !== seen) [seen, sinceMs] = [count(), performance.now()]
        return performance.now() - sinceMs
      },
      { timeout: 10_000, interval: 20 },
    )
    .toBeGreaterThan(250)
}

describe('the handshake of HTTP/1.1', () => {
  test('is a CONNECT to the application, and answered as the client wants it', async () => {
    answer = ({ stream }) =>
      stream.respond({ ':status': 200, 'sec-websocket-protocol': 'chat', 'sec-websocket-accept': 'made up' })
    const accepted = nextAccepted()
    const client = rawClient()
    client.write(upgrade(`Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Protocol: chat\r\nX-Own: 1\r\n`))
    const head = await client.take(hasHead)
    expect(head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
    expect(head).toContain(`\r\nSec-WebSocket-Accept: ${acceptOfKey}\r\n`)
    expect(head).toMatch(/\r\nsec-websocket-protocol: chat\r\n/i)
    expect(head).not.toMatch(/made up|content-length|transfer-encoding/i)
    const { headers } = await accepted
    expect(headers).toMatchObject({
      ...handshake,
      'sec-websocket-protocol': 'chat',
      'x-own': '1',
    })
    for (const name of ['sec-websocket-key', 'upgrade', 'connection', 'content-length'])
      expect(headers).not.toHaveProperty(name)
  })

  test('satisfies the client of ws', async () => {
    const accepted = nextAccepted()
    const client = new WebSocket(`ws://127.0.0.1:${pair.port}/`, { headers: { host: 'app.test' } })
    onTestFinished(() => client.terminate())
    await once(client, 'open')
    webSocketOn((await accepted).stream, 'server').send('hello')
    expect(String((await once(client, 'message'))[0])).toBe('hello')
  })

  test('bytes sent before the answer wait for it, and so do those that come with it', async () => {
    let early = false
    const asked = new Promise<http2.ServerHttp2Stream>((resolve) => {
      answer = ({ stream }) => {
        stream.once('data', () => {
          early = true
        })
        resolve(stream)
      }
    })
    const client = rawClient()
    client.write(`${upgrade()}early`)
    const stream = await asked
    // Whatever was on its way has come by the time another request has been answered.
    answer = ({ stream: other }) => other.respond({ ':status': 204 }, { endStream: true })
    const other = rawClient()
    other.write('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
    expect(await other.take(hasHead)).toMatch(/^HTTP\/1\.1 204 /)
    expect(early).toBe(false)
    const arrived = once(stream, 'data')
    stream.respond({ ':status': 200 })
    stream.write('at once')
    expect(String((await arrived)[0])).toBe('early')
    expect(await client.take((text) => text.endsWith('at once'))).toMatch(/\r\n\r\nat once$/)
  })

  test('a refusal is passed on, and nothing of what was sent before it', async () => {
    let content = ''
    answer = ({ stream }) => {
      stream.on('data', (bytes) => {
        content += String(bytes)
      })
      stream.respond({ ':status': 403 })
      stream.end('no')
    }
    const accepted = nextAccepted()
    const client = rawClient()
    client.write(`${upgrade()}GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n`)
    const text = await client.take()
    expect(text).toMatch(/^HTTP\/1\.1 403 /)
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    const { stream } = await accepted
    if (!stream.closed) await once(stream, 'close')
    expect([stream.rstCode, content]).toEqual([0, ''])
  })

  test.each([
    ['without a key', upgrade(''), 400, 'REQUEST_MALFORMED'],
    ['with a key of another length', upgrade('Sec-WebSocket-Key: abc\r\n'), 400, 'REQUEST_MALFORMED'],
    ['by POST', upgrade(undefined, 'POST'), 400, 'REQUEST_MALFORMED'],
    ['of anything but a WebSocket', upgrade(undefined, 'GET', 'chat'), 501, 'UPGRADE_UNSUPPORTED'],
  ])('%s does not reach the application', async (_, head, status, code) => {
    const before = app.requests
    const client = rawClient()
    client.write(head)
    const text = await client.take((seen) => seen.endsWith('\n') && /\r\n\r\n./.test(seen))
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*\\r\\n\\r\\n${code}: `))
    expect(app.requests).toBe(before)
  })

  test('many tunnels and a request share one connection to the application', async () => {
    await overHttp1()
    const before = app.opened
    await Promise.all(Array.from({ length: 8 }, overHttp1))
    answer = ({ stream }) => stream.respond({ ':status': 204 }, { endStream: true })
    const client = rawClient()
    client.write('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
    expect(await client.take(hasHead)).toMatch(/^HTTP\/1\.1 204 /)
    expect(app.opened).toBe(before)
  })
})
