/** WebSockets of clients that speak HTTP/2 (RFC 8441), to an application that knows HTTP/1's, through two sidecars. */
import { once } from 'node:events'
import type http2 from 'node:http2'
import net from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { ask, connectHttp2, type Http2Answer } from '../support/http2-client.ts'
import { headers, RawHttp2 } from '../support/http2-frames.ts'
import { type MeshPair, startMeshPair } from '../support/mesh-pair.ts'
import { type RawServer, startRawServer } from '../support/raw-tcp.ts'
import { webSocketOn } from '../support/stream-web-socket.ts'

const handshake = {
  ':method': 'CONNECT',
  ':protocol': 'websocket',
  ':scheme': 'http',
  ':path': '/chat',
  'sec-websocket-version': '13',
}

/** A session that has heard what the sidecar offers. */
async function session(pair: MeshPair): Promise<http2.ClientHttp2Session> {
  const made = connectHttp2(pair.port)
  onTestFinished(() => made.destroy())
  await once(made, 'remoteSettings')
  return made
}

describe('an application that takes WebSockets', () => {
  let server: WebSocketServer
  let pair: MeshPair

  beforeAll(async () => {
    server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'chat' })
    await once(server, 'listening')
    pair = await startMeshPair((server.address() as net.AddressInfo).port)
  })

  afterAll(() => {
    pair.stop()
    server.close()
  })

  test('they are offered', async () => {
    expect((await session(pair)).remoteSettings.enableConnectProtocol).toBe(true)
  })

  test('text, bytes, 1 MB and the closing handshake arrive both ways', async () => {
    const via = await session(pair)
    const connected = once(server, 'connection')
    const stream = via.request({ ...handshake, ':authority': 'app.test', 'sec-websocket-protocol': 'chat' })
    const [fields] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
    expect(fields[':status']).toBe(200)
    expect(fields['sec-websocket-protocol']).toBe('chat')
    expect(fields['sec-websocket-accept']).toBeUndefined()
    const client = webSocketOn(stream, 'client')
    const [accepted, request] = (await connected) as [WebSocket, { url: string; headers: { host: string } }]
    expect([request.url, request.headers.host]).toEqual(['/chat', 'app.test'])
    const big = Buffer.alloc(1024 * 1024, 'weft')
    for (const [from, to] of [
      [client, accepted],
      [accepted, client],
    ] as const) {
      for (const message of ['häßlich', Buffer.from([0, 255]), big]) {
        const arrived = once(to, 'message')
        from.send(message)
        expect((await arrived)[0].equals(Buffer.from(message as string))).toBe(true)
      }
    }
    const closed = Promise.all([once(accepted, 'close'), once(stream, 'end'), once(stream, 'close')])
    client.close(4321, 'done')
    expect((await closed)[0][0]).toBe(4321)
    expect(stream.rstCode).toBe(0)
  })
})

describe('an application that does not', () => {
  let app: RawServer
  let pair: MeshPair
  let reply = ''

  beforeAll(async () => {
    app = await startRawServer((text, socket) => {
      if (text.endsWith('\r\n\r\n')) socket.write(reply)
    })
    pair = await startMeshPair(app.port)
  })

  afterAll(async () => {
    pair.stop()
    await app.stop()
  })

  const asked = async (answer: string, more: http2.OutgoingHttpHeaders = {}): Promise<Http2Answer> => {
    reply = answer
    return ask(await session(pair), { ...handshake, ...more })
  }

  test('sees an upgrade of HTTP/1, and nothing of what is sent before its answer', async () => {
    reply = ''
    const via = await session(pair)
    const before = app.connections()
    const stream = via.request({ ...handshake, ':authority': 'app.test', 'sec-websocket-key': 'mine' })
    stream.on('error', () => undefined)
    stream.write('GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n')
    await expect.poll(() => app.received[before] ?? '').toMatch(/\r\n\r\n$/)
    const head = app.received[before] as string
    expect(head).toMatch(/^GET \/chat HTTP\/1\.1\r\n/)
    expect(head).toMatch(/\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/)
    expect(head).toMatch(/\r\nsec-websocket-key: [A-Za-z0-9+/]{22}==\r\n/)
    expect(head).not.toMatch(/smuggled|mine|content-length|transfer-encoding/i)
    stream.close()
    await expect.poll(() => app.isOpen(before)).toBe(false)
  })

  test('its refusal is passed on', async () => {
    const answer = await asked('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
    expect([answer.status, String(answer.content)]).toEqual([403, 'no'])
  })

  test.each([
    ['a reply that is no upgrade', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno'],
    ['one that goes on', 'HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nno'],
    [
      'the answer to another key',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
    ],
    [
      'no answer at all',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
  ])('%s is no tunnel: 502', async (_, text) => {
    const before = app.connections()
    const answer = await asked(text)
    expect([answer.status, answer.headers['weft-error']]).toEqual([502, 'UPE'])
    await expect.poll(() => app.isOpen(before)).toBe(false)
  })

  test('anything but a WebSocket is not known (501)', async () => {
    expect((await asked('', { ':protocol': 'connect-udp' })).status).toBe(501)
  })

  const pseudo = { ':protocol': 'websocket', ':scheme': 'http', ':path': '/', ':authority': 'app.test' }
  const malformed: readonly (readonly [string, http2.OutgoingHttpHeaders])[] = [
    ...[':scheme', ':path', ':authority'].map(
      (name) => [`without ${name}`, { ':method': 'CONNECT', ...pseudo, [name]: undefined }] as const,
    ),
    ['by GET', { ':method': 'GET', ...pseudo }],
    ['with a content-length', { ':method': 'CONNECT', ...pseudo, 'content-length': '0' }],
  ]
  test.each(malformed)('one %s is malformed', async (_, fields) => {
    const before = app.connections()
    const peer = await RawHttp2.connect(pair.port)
    onTestFinished(() => peer.destroy())
    const given = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined)
    peer.send(headers(1, given, false))
    await peer.until(() => peer.resetCode(1) !== undefined)
    expect(peer.resetCode(1)).toBe(1)
    expect(app.connections()).toBe(before)
  })
})
