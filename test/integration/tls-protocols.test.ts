/** Which protocol is spoken behind TLS: by ALPN where the client asks by it, else by its first bytes. */
import { once } from 'node:events'
import tls from 'node:tls'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { headers, preface, RawHttp2, request, settings } from '../support/http2-frames.ts'
import { type MeshPair, startMeshPair } from '../support/mesh-pair.ts'
import { type RawServer, startRawServer } from '../support/raw-tcp.ts'
import { startTlsSidecar, type TlsSidecar } from '../support/tls-sidecar.ts'

let application: RawServer

beforeAll(async () => {
  application = await startRawServer((text, socket) => {
    if (text.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello')
  })
})
afterAll(() => application.stop())

type Speech = 'http/1.1' | 'h2'

/** What a server says to a request in `speech`, and which protocol TLS has agreed on. Rejects when there is no TLS. */
async function speak(options: tls.ConnectionOptions, speech: Speech) {
  const socket = tls.connect({ host: '127.0.0.1', rejectUnauthorized: false, ...options })
  onTestFinished(() => void socket.destroy())
  let text = ''
  socket.on('data', (piece: Buffer) => {
    text += piece.toString('latin1')
  })
  await once(socket, 'secureConnect')
  const { alpnProtocol } = socket
  if (speech === 'h2') {
    const peer = new RawHttp2(socket)
    peer.send(preface, settings(), headers(1, request()))
    await peer.until(() => peer.ended(1))
    return { alpnProtocol, told: peer.status(1) ?? (peer.goawayCode === undefined ? text : 'GOAWAY') }
  }
  socket.on('error', () => undefined)
  socket.write('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
  await expect.poll(() => text.endsWith('hello') || socket.destroyed || socket.readableEnded).toBe(true)
  return { alpnProtocol, told: /^HTTP\/1\.1 ([0-9]+)/.exec(text)?.[1] ?? text }
}

describe('a TLS listener of a bootstrap file', () => {
  let port: number
  let sidecar: TlsSidecar

  beforeAll(async () => {
    sidecar = await startTlsSidecar(application.port)
    port = sidecar.port
  })
  afterAll(() => sidecar?.stop())

  test.each([
    ['h2 alone', ['h2'], 'h2', 'h2'],
    ['http/1.1 alone', ['http/1.1'], 'http/1.1', 'http/1.1'],
    ['both: ours come first', ['http/1.1', 'h2'], 'h2', 'h2'],
    ['one that nobody knows beside', ['spdy/3.1', 'http/1.1'], 'http/1.1', 'http/1.1'],
    ['none, and speaks HTTP/1.1', undefined, false, 'http/1.1'],
    ['none, and speaks HTTP/2', undefined, false, 'h2'],
  ] as const)('serves a client that offers %s', async (_, offers, agreed, speech) => {
    const alpn = offers === undefined ? {} : { ALPNProtocols: [...offers] }
    expect(await speak({ port, ...alpn }, speech)).toEqual({ alpnProtocol: agreed, told: '200' })
  })

  test.each([['h2'], ['http/1.1']] as const)(
    'without protocols of its own goes by what comes first: %s',
    async (speech) => {
      const spoken = await speak({ port: sidecar.silentPort, ALPNProtocols: ['h2', 'http/1.1'] }, speech)
      expect(spoken).toEqual({ alpnProtocol: false, told: '200' })
    },
  )

  test('ends the handshake of who offers nothing that it knows, and serves the next', async () => {
    await expect(speak({ port, ALPNProtocols: ['spdy/3.1'] }, 'h2')).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    })
    expect((await speak({ port, ALPNProtocols: ['h2'] }, 'h2')).told).toBe('200')
  })

  test('refuses who speaks another protocol than was agreed on', async () => {
    const before = application.connections()
    expect((await speak({ port, ALPNProtocols: ['http/1.1'] }, 'h2')).told).toMatch(/^HTTP\/1\.1 505 /)
    expect((await speak({ port, ALPNProtocols: ['h2'] }, 'http/1.1')).told).toMatch(/this is not HTTP\/2/)
    expect(application.connections()).toBe(before)
  })
})

describe('the mesh port of a sidecar', () => {
  let pair: MeshPair

  beforeAll(async () => {
    pair = await startMeshPair(application.port)
  })
  afterAll(() => pair.stop())

  const reach = (offers: readonly string[] | undefined, speech: Speech) =>
    speak({ port: pair.meshPort, ...pair.clientTls, ...(offers && { ALPNProtocols: [...offers] }) }, speech)

  test.each([
    ['weft-h2', ['weft-h2'], 'weft-h2', 'h2'],
    ['weft-h1', ['weft-h1'], 'weft-h1', 'http/1.1'],
    ['all that there are', ['weft-tcp', 'weft-h1', 'weft-m1', 'weft-h2'], 'weft-h2', 'h2'],
    ['weft-h1 and h2, which is no protocol of the mesh', ['h2', 'weft-h1'], 'weft-h1', 'http/1.1'],
  ] as const)('serves a sidecar that offers %s', async (_, offers, agreed, speech) => {
    expect(await reach(offers, speech)).toEqual({ alpnProtocol: agreed, told: '200' })
  })

  test.each([
    ['h2: that is for the application', ['h2'], /./],
    ['nothing', undefined, /./],
    ['a protocol of a mesh to come', ['weft-h9'], /NO_APPLICATION_PROTOCOL/],
  ])('refuses one that offers %s', async (_, offers, code) => {
    await expect(reach(offers, 'h2')).rejects.toMatchObject({ code: expect.stringMatching(code) })
    expect((await reach(['weft-h1'], 'http/1.1')).told).toBe('200')
  })
})
