import { type AddressInfo, type Server, type Socket, connect as connectTcp, createServer } from 'node:net'
import { type TLSSocket, connect as connectTls } from 'node:tls'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { WeftError } from '../../core/errors.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { type Identities, type Identity, type KeyAndCertificate, makeIdentity } from './identity.ts'
import { TlsClient, type MeshTarget } from './tls-client.ts'
import { TlsServer } from './tls-server.ts'
import { TestRoot, selfSigned } from './test-pki.ts'
import { parseTrustBundle } from './trust-bundle.ts'
import { PeerVerifier } from './verify-peer.ts'

const WEB = 'spiffe://cluster.local/ns/shop/sa/web'
const CATALOG = 'spiffe://cluster.local/ns/shop/sa/catalog'
const trustDomain = 'cluster.local'

/** Identities that a test sets by hand. */
class Given implements Identities {
  current: Identity | undefined
  readonly #listeners = new Set<(identity: Identity) => void>()

  set(own: KeyAndCertificate, bundlePem: string): this {
    const identity = makeIdentity('', own, parseTrustBundle(bundlePem), this.current)
    this.current = identity
    for (const listener of this.#listeners) listener(identity)
    return this
  }

  onChange(listener: (identity: Identity) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

type Outcome = { principal: string; alpn: string; resumed: boolean } | { refused: string }

let root: TestRoot
let other: TestRoot
let web: KeyAndCertificate
let catalog: KeyAndCertificate
beforeAll(async () => {
  root = await TestRoot.make('same name')
  other = await TestRoot.make('same name')
  web = await root.leaf({ uris: [WEB] })
  catalog = await root.leaf({ uris: [CATALOG] })
})

let serving: Given
let mesh: TlsServer
let tcp: Server
let port: number
let outcomes: Outcome[]
let clients: TlsClient[]
let sockets: { destroy(): void }[]

/** Accepts, looks at the first bytes and puts them back, as detection does; then echoes. */
async function serve({
  clock = systemClock,
  ...options
}: {
  clock?: Clock
  handshakeTimeoutMs?: number
} = {}): Promise<void> {
  serving = new Given()
  mesh = new TlsServer({
    identities: serving,
    verifier: new PeerVerifier({ trustDomain, clock }),
    // Unless a test brings a clock, a certificate is shown whatever its end.
    ...(clock === systemClock ? {} : { clock }),
    ...options,
  })
  tcp = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    sockets.push(socket)
    socket.on('error', () => socket.destroy())
    socket.once('data', (bytes) => {
      socket.pause()
      socket.unshift(bytes)
      mesh.accept(
        socket,
        (tls, principal, alpn) => {
          outcomes.push({ principal, alpn, resumed: tls.isSessionReused() })
          tls.on('data', (piece) => tls.write(piece))
          tls.on('end', () => tls.end())
        },
        (error) => outcomes.push({ refused: error.code }),
      )
    })
  })
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
  port = (tcp.address() as AddressInfo).port
}

beforeEach(async () => {
  outcomes = []
  clients = []
  sockets = []
  await serve()
})
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  for (const client of clients) client.close()
  mesh.close()
  tcp.close()
})

function clientOf(identities: Given, clock: Clock = systemClock): TlsClient {
  const client = new TlsClient({ identities, verifier: new PeerVerifier({ trustDomain, clock }), clock })
  clients.push(client)
  return client
}

const webClient = () => clientOf(new Given().set(web, root.pem))
const target = (options: Partial<MeshTarget> = {}): MeshTarget => ({
  host: '127.0.0.1',
  port,
  alpn: 'weft-h1',
  expectedIdentity: CATALOG,
  timeoutMs: 5000,
  ...options,
})

/** Sends a word and waits for its echo, after which the session ticket has come too. */
async function echo(tls: TLSSocket, word = 'hello'): Promise<string> {
  sockets.push(tls)
  return new Promise((resolve, reject) => {
    let text = ''
    tls.on('data', (piece) => {
      text += String(piece)
      if (text.length >= word.length) resolve(text)
    })
    tls.on('end', () => reject(new Error('closed before the echo')))
    tls.on('close', () => reject(new Error('closed before the echo')))
    tls.write(word)
  })
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'accepted',
    (error: WeftError) => error.code,
  )

const outcome = async (): Promise<Outcome> => {
  await expect.poll(() => outcomes.length, { interval: 5 }).toBeGreaterThan(0)
  return outcomes.at(-1) as Outcome
}

describe('between two sidecars of one mesh', () => {
  it('proves both principals, agrees on the protocol, and carries bytes', async () => {
    serving.set(catalog, root.pem)
    const tls = await webClient().connect(target())
    expect(await echo(tls)).toBe('hello')
    expect(await outcome()).toEqual({ principal: WEB, alpn: 'weft-h1', resumed: false })
    expect(tls.getProtocol()).toBe('TLSv1.3')
  })

  it('accepts any workload of the trust domain where none is expected', async () => {
    serving.set(catalog, root.pem)
    await echo(await webClient().connect(target({ expectedIdentity: undefined, alpn: 'weft-tcp' })))
    expect(await outcome()).toMatchObject({ alpn: 'weft-tcp' })
  })

  it('resumes sessions, with the principals proven all the same', async () => {
    serving.set(catalog, root.pem)
    const client = webClient()
    await echo(await client.connect(target()))
    expect(client.sessionCount).toBe(1)
    await echo(await client.connect(target()))
    expect(await outcome()).toEqual({ principal: WEB, alpn: 'weft-h1', resumed: true })
    expect(await codeOf(client.connect(target({ expectedIdentity: WEB })))).toBe('PEER_IDENTITY_MISMATCH')
  })

  it('keeps sessions across a renewal of the server, not across a change of its roots', async () => {
    serving.set(catalog, root.pem)
    const client = webClient()
    await echo(await client.connect(target()))
    serving.set(await root.leaf({ uris: [CATALOG] }), root.pem)
    await echo(await client.connect(target()))
    expect(await outcome()).toMatchObject({ resumed: true })
    serving.set(catalog, `${root.pem}${other.pem}`)
    await echo(await client.connect(target()))
    expect(await outcome()).toMatchObject({ resumed: false })
  })

  it('forgets its sessions when its own identity changes', async () => {
    serving.set(catalog, root.pem)
    const own = new Given().set(web, root.pem)
    const client = clientOf(own)
    await echo(await client.connect(target()))
    own.set(await root.leaf({ uris: [WEB] }), root.pem)
    expect(client.sessionCount).toBe(0)
    await echo(await client.connect(target()))
    expect(await outcome()).toMatchObject({ resumed: false, principal: WEB })
  })

  it('shows a new certificate to new connections and leaves those that stand alone', async () => {
    serving.set(catalog, root.pem)
    const client = webClient()
    const before = await client.connect(target())
    await echo(before)
    const renewed = await root.leaf({ uris: [CATALOG] })
    serving.set(renewed, root.pem)
    const after = await clientOf(new Given().set(web, root.pem)).connect(target())
    expect(after.getPeerX509Certificate()?.toString()).toBe(renewed.certificatePem)
    expect(await echo(before, 'again')).toBe('again')
    expect(await echo(after)).toBe('hello')
  })

  it('does not use a session of a certificate that has expired meanwhile', async () => {
    serving.set(catalog, root.pem)
    const clock = new ManualClock(Date.now())
    const lasting = await root.leaf({ uris: [WEB], notAfterMs: Date.now() + 48 * 3_600_000 })
    const client = clientOf(new Given().set(lasting, root.pem), clock)
    await echo(await client.connect(target()))
    clock.setWall(catalog.notAfterMs + 1)
    serving.set(await root.leaf({ uris: [CATALOG], notAfterMs: Date.now() + 48 * 3_600_000 }), root.pem)
    const tls = await client.connect(target())
    expect(tls.isSessionReused()).toBe(false)
    sockets.push(tls)
  })
})

describe('a server that is not what it should be', () => {
  const refusedAs = async (own: KeyAndCertificate, options: Partial<MeshTarget> = {}) => {
    serving.set(own, root.pem)
    return codeOf(webClient().connect(target(options)))
  }

  it('is refused when it is another workload', async () => {
    expect(await refusedAs(await root.leaf({ uris: [WEB] }))).toBe('PEER_IDENTITY_MISMATCH')
  })

  it('is refused when it signed its certificate itself, or another root did', async () => {
    expect(await refusedAs(await selfSigned(CATALOG))).toBe('PEER_CERTIFICATE_UNTRUSTED')
    serving.set(await other.leaf({ uris: [CATALOG] }), root.pem)
    const code = await codeOf(webClient().connect(target()))
    // The roots have the same name here, so it is the signature that gives it away.
    expect(['PEER_CERTIFICATE_UNTRUSTED', 'TLS_REFUSED']).toContain(code)
  })

  it('is refused when its certificate has expired or is not valid yet', async () => {
    const nowMs = Date.now()
    const expired = { notBeforeMs: nowMs - 7_200_000, notAfterMs: nowMs - 3_600_000 }
    const early = { notBeforeMs: nowMs + 3_600_000, notAfterMs: nowMs + 7_200_000 }
    expect(await refusedAs(await root.leaf({ uris: [CATALOG], ...expired }))).toBe('CERTIFICATE_EXPIRED')
    expect(await refusedAs(await root.leaf({ uris: [CATALOG], ...early }))).toBe('CERTIFICATE_NOT_YET_VALID')
  })

  it('is refused without exactly one identity of the trust domain', async () => {
    expect(await refusedAs(await root.leaf({ uris: [CATALOG, WEB] }))).toBe('PEER_IDENTITY_INVALID')
    expect(await refusedAs(await root.leaf({ uris: [], dns: ['localhost'] }))).toBe('PEER_IDENTITY_INVALID')
    expect(await refusedAs(await root.leaf({ uris: ['https://catalog.shop/'] }))).toBe(
      'PEER_IDENTITY_INVALID',
    )
    const foreign = 'spiffe://other.example/ns/shop/sa/catalog'
    expect(await refusedAs(await root.leaf({ uris: [foreign] }))).toBe('PEER_TRUST_DOMAIN_MISMATCH')
  })

  it('is refused with a certificate for clients only', async () => {
    expect(await refusedAs(await root.leaf({ uris: [CATALOG], usages: ['client'] }))).toBe(
      'PEER_USAGE_REFUSED',
    )
  })

  it('is refused when it does not speak the protocol, is not there, or says nothing', async () => {
    expect(await refusedAs(catalog, { alpn: 'weft-h9' })).toBe('TLS_REFUSED')
    const gone = createServer()
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
    const closedPort = (gone.address() as AddressInfo).port
    await new Promise((resolve) => gone.close(resolve))
    expect(await refusedAs(catalog, { port: closedPort })).toBe('UPSTREAM_CONNECT_FAILED')
    const silent = createServer((socket) => sockets.push(socket))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const silentPort = (silent.address() as AddressInfo).port
    expect(await refusedAs(catalog, { port: silentPort, timeoutMs: 50 })).toBe('UPSTREAM_CONNECT_TIMEOUT')
    silent.close()
  })
})

describe('a client that is not what it should be', () => {
  /** TLS 1.3 lets a client finish before it is judged, so what counts is what the server says and serves. */
  const refusedAs = async (own: KeyAndCertificate): Promise<Outcome> => {
    serving.set(catalog, root.pem)
    // Shows its certificate whatever its end.
    const client = new TlsClient({
      identities: new Given().set(own, root.pem),
      verifier: new PeerVerifier({ trustDomain, clock: systemClock }),
      clock: { ...systemClock, wallMs: () => 0 },
    })
    clients.push(client)
    const tls = await client.connect(target())
    await expect(echo(tls)).rejects.toThrow('closed before the echo')
    return outcome()
  }

  it.each<[string, string, () => Promise<KeyAndCertificate>]>([
    ['signed its certificate itself', 'PEER_CERTIFICATE_UNTRUSTED', () => selfSigned(WEB)],
    [
      'is expired',
      'CERTIFICATE_EXPIRED',
      () => root.leaf({ notBeforeMs: Date.now() - 7_200_000, notAfterMs: Date.now() - 3_600_000 }),
    ],
    ['has two identities', 'PEER_IDENTITY_INVALID', () => root.leaf({ uris: [WEB, CATALOG] })],
    ['has no identity', 'PEER_IDENTITY_INVALID', () => root.leaf({ uris: [], dns: ['web.shop'] })],
    [
      'is of another trust domain',
      'PEER_TRUST_DOMAIN_MISMATCH',
      () => root.leaf({ uris: ['spiffe://x.example/ns/a/sa/b'] }),
    ],
    ['may only be a server', 'PEER_USAGE_REFUSED', () => root.leaf({ usages: ['server'] })],
    ['is a CA', 'PEER_IDENTITY_INVALID', () => root.leaf({ uris: [WEB], ca: true })],
  ])('is refused when it %s', async (_what, code, own) => {
    expect(await refusedAs(await own())).toEqual({ refused: code })
  })

  it('is refused when another root of the same name signed its certificate', async () => {
    const { refused } = (await refusedAs(await other.leaf({ uris: [WEB] }))) as { refused: string }
    expect(['PEER_CERTIFICATE_UNTRUSTED', 'TLS_REFUSED']).toContain(refused)
  })

  it('is refused without a certificate, without a protocol, and with an old version of TLS', async () => {
    serving.set(catalog, root.pem)
    const raw = (options: object) => {
      const tls = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
      sockets.push(tls)
      tls.on('error', () => tls.destroy())
    }
    raw({ ALPNProtocols: ['weft-h1'] })
    expect(await outcome()).toEqual({ refused: 'PEER_CERTIFICATE_MISSING' })
    outcomes.length = 0
    raw({ key: web.keyPem, cert: web.certificatePem })
    expect(await outcome()).toEqual({ refused: 'TLS_REFUSED' })
    outcomes.length = 0
    raw({ key: web.keyPem, cert: web.certificatePem, maxVersion: 'TLSv1.2', ALPNProtocols: ['weft-h1'] })
    expect(await outcome()).toEqual({ refused: 'TLS_REFUSED' })
  })

  it('is refused when it stops in the middle of the handshake, by going or by saying nothing', async () => {
    tcp.close()
    await serve({ handshakeTimeoutMs: 50 })
    serving.set(catalog, root.pem)
    const start = () => {
      const socket = connectTcp(port, '127.0.0.1')
      sockets.push(socket)
      socket.on('error', () => socket.destroy())
      socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1]))
      return socket
    }
    start()
    expect(await outcome()).toEqual({ refused: 'UPSTREAM_CONNECT_TIMEOUT' })
    outcomes.length = 0
    start().destroySoon()
    expect(await outcome()).toMatchObject({ refused: expect.any(String) })
  })
})

describe('with a certificate of our own that has expired', () => {
  it('says so in both directions, before anybody is asked', async () => {
    const clock = new ManualClock(Date.now())
    mesh.close()
    tcp.close()
    await serve({ clock })
    serving.set(catalog, root.pem)
    const client = clientOf(new Given().set(web, root.pem), clock)
    await echo(await client.connect(target()))
    outcomes.length = 0
    clock.setWall(catalog.notAfterMs)
    expect(await codeOf(client.connect(target()))).toBe('IDENTITY_EXPIRED')
    expect(outcomes).toEqual([])
    expect(await codeOf(webClient().connect(target()))).toBe('TLS_REFUSED')
    expect(await outcome()).toEqual({ refused: 'IDENTITY_EXPIRED' })
  })
})

describe('without an identity', () => {
  it('refuses in both directions, and works once it has one', async () => {
    const own = new Given()
    const client = clientOf(own)
    expect(await codeOf(client.connect(target()))).toBe('IDENTITY_MISSING')
    own.set(web, root.pem)
    expect(await codeOf(client.connect(target()))).toBe('TLS_REFUSED')
    expect(await outcome()).toEqual({ refused: 'IDENTITY_MISSING' })
    serving.set(catalog, root.pem)
    expect(await echo(await client.connect(target()))).toBe('hello')
  })
})
