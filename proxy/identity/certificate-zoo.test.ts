/** Every kind of certificate that must not be taken, shown to our inbound side and to our outbound side, and then again. */
import 'reflect-metadata'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { connect, createServer as createTlsServer, type TLSSocket } from 'node:tls'
import * as x509 from '@peculiar/x509'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { derElement } from '../../core/der.ts'
import type { ErrorCode } from '../../core/errors.ts'
import { type Identities, type KeyAndCertificate, makeIdentity } from './identity.ts'
import { type IssuerOptions, type LeafOptions, selfSigned, TestRoot } from './test-pki.ts'
import { TlsClient } from './tls-client.ts'
import { TlsServer } from './tls-server.ts'
import { parseTrustBundle } from './trust-bundle.ts'
import { PeerVerifier } from './verify-peer.ts'

const us = 'spiffe://cluster.local/ns/shop/sa/us'
const them = 'spiffe://cluster.local/ns/shop/sa/them'
const hourMs = 3_600_000
/** The other side breaks every rule, the one of key sizes too. */
const lax = { ciphers: 'DEFAULT@SECLEVEL=0' }

const rsa1024 = {
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength: 1024,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: 'SHA-256',
}

let root: TestRoot
let namesake: TestRoot
let stranger: TestRoot
let inbound: Server
let server: TlsServer
const refusals: { readonly code: ErrorCode; readonly message: string }[] = []
const accepted: string[] = []
const held: { destroy(): void }[] = []

async function ours(): Promise<Identities> {
  const identity = makeIdentity(us, await root.leaf({ uris: [us] }), parseTrustBundle(root.pem), undefined)
  return { current: identity, onChange: () => () => undefined }
}

const verifier = () => new PeerVerifier({ trustDomain: 'cluster.local', clock: systemClock })

function listening(open: Server): Promise<number> {
  return new Promise((resolve) =>
    open.listen(0, '127.0.0.1', () => resolve((open.address() as AddressInfo).port)),
  )
}

beforeAll(async () => {
  root = await TestRoot.make('the mesh')
  namesake = await TestRoot.make('the mesh')
  stranger = await TestRoot.make('somebody else')
  server = new TlsServer({ identities: await ours(), verifier: verifier(), clock: systemClock })
  inbound = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    held.push(socket)
    socket.once('data', (bytes) => {
      // As detection does: looked at, put back, and injected.
      socket.pause()
      socket.unshift(bytes)
      server.accept(
        socket,
        (tls, principal) => {
          accepted.push(principal)
          tls.end('welcome')
        },
        (error) => refusals.push(error),
      )
    })
  })
  await listening(inbound)
})
afterAll(() => {
  for (const socket of held) socket.destroy()
  server.close()
  inbound.close()
})

type Shown = { readonly text: string; readonly ticket: Buffer | undefined }

/** Shows a certificate to our inbound side; what it says, and the session that it may have given. */
function show(own: KeyAndCertificate, session?: Buffer): Promise<Shown> {
  return new Promise((resolve) => {
    let text = ''
    let ticket: Buffer | undefined
    const tls: TLSSocket = connect({
      ...lax,
      host: '127.0.0.1',
      port: (inbound.address() as AddressInfo).port,
      key: own.keyPem,
      cert: own.certificatePem,
      ALPNProtocols: ['weft-h1'],
      rejectUnauthorized: false,
      ...(session === undefined ? {} : { session }),
    })
    held.push(tls)
    tls.on('session', (kept) => (ticket = kept))
    tls.on('error', () => tls.destroy())
    tls.on('data', (piece: Buffer) => (text += piece.toString()))
    tls.on('close', () => resolve({ text, ticket }))
  })
}

/** A server with this certificate, as our outbound side finds it: twice, the second time with what it may have kept. */
async function dial(own: KeyAndCertificate): Promise<readonly ErrorCode[]> {
  const peer = createTlsServer(
    {
      ...lax,
      key: own.keyPem,
      cert: own.certificatePem,
      ALPNProtocols: ['weft-h1'],
      requestCert: true,
      rejectUnauthorized: false,
      sessionIdContext: 'x',
    },
    (tls) => {
      tls.on('error', () => tls.destroy())
      tls.end('welcome')
    },
  )
  peer.on('tlsClientError', () => undefined)
  const port = await listening(peer)
  const client = new TlsClient({ identities: await ours(), verifier: verifier(), clock: systemClock })
  const codes: ErrorCode[] = []
  for (let i = 0; i < 2; i++)
    await client
      .connect({ host: '127.0.0.1', port, alpn: 'weft-h1', expectedIdentity: them, timeoutMs: 5_000 })
      .then((tls) => tls.destroy())
      .catch((error: { readonly code: ErrorCode }) => codes.push(error.code))
  expect(client.sessionCount).toBe(0)
  client.close()
  peer.close()
  return codes
}

const made = (options: LeafOptions) => () => root.leaf({ uris: [them], ...options })
const now = Date.now()

/** By an issuer below the root that is made so; it is in force while its leaf is, unless that is changed. */
const below = (issuer: IssuerOptions) => async () => (await root.below(issuer)).leaf({ uris: [them] })

/** Where only one side of a handshake is told the reason, the other says that it may be another. */
type Codes = ErrorCode | { readonly client: ErrorCode; readonly server: ErrorCode }

function codeFor(codes: Codes, role: 'client' | 'server'): ErrorCode {
  return typeof codes === 'string' ? codes : codes[role]
}

const unnamed: Codes = { client: 'PEER_CERTIFICATE_WEAK', server: 'PEER_CERTIFICATE_UNTRUSTED' }
const unknownExtension = new x509.Extension('1.3.6.1.4.1.99999.1', true, new Uint8Array([5, 0]))
const harmlessExtension = new x509.Extension('1.3.6.1.4.1.99999.1', false, new Uint8Array([5, 0]))
const secondNames = new x509.SubjectAlternativeNameExtension([{ type: 'url', value: us }], true)
/** The issuer may sign for this host alone (RFC 5280, 4.2.1.10). */
const onlyFor = (host: string) =>
  new x509.Extension(
    '2.5.29.30',
    true,
    derElement(0x30, derElement(0xa0, derElement(0x30, derElement(0x86, Buffer.from(host))))),
  )

type Animal = readonly [
  name: string,
  codes: Codes,
  make: (role: 'client' | 'server') => Promise<KeyAndCertificate>,
  reason: RegExp,
]

const zoo: readonly Animal[] = [
  [
    'is expired',
    'CERTIFICATE_EXPIRED',
    made({ notBeforeMs: now - 2 * hourMs, notAfterMs: now - hourMs }),
    /CERT_HAS_EXPIRED/,
  ],
  [
    'is not valid yet',
    'CERTIFICATE_NOT_YET_VALID',
    made({ notBeforeMs: now + hourMs, notAfterMs: now + 2 * hourMs }),
    /CERT_NOT_YET_VALID/,
  ],
  [
    'is of another trust domain',
    'PEER_TRUST_DOMAIN_MISMATCH',
    made({ uris: ['spiffe://other.example/ns/shop/sa/them'] }),
    /not of cluster\.local/,
  ],
  ['has two URI names', 'PEER_IDENTITY_INVALID', made({ uris: [them, us] }), /2 URI names/],
  ['has no URI name', 'PEER_IDENTITY_INVALID', made({ uris: [], dns: ['them.shop'] }), /0 URI names/],
  [
    'has a NUL in its name',
    'PEER_IDENTITY_INVALID',
    made({ uris: [`${them}\0.evil.example`] }),
    /is not an identity/,
  ],
  ['has a common name only', 'PEER_IDENTITY_INVALID', made({ uris: [], subject: `CN=them` }), /0 URI names/],
  [
    'is for the other role only',
    'PEER_USAGE_REFUSED',
    (role) => root.leaf({ uris: [them], usages: [role === 'client' ? 'server' : 'client'] }),
    /INVALID_PURPOSE|is not for a/,
  ],
  ['is for no role', 'PEER_USAGE_REFUSED', made({ usages: [] }), /INVALID_PURPOSE|is not for a/],
  ['is that of a CA', 'PEER_IDENTITY_INVALID', made({ ca: true }), /that of a CA/],
  [
    'was signed by another root',
    'PEER_CERTIFICATE_UNTRUSTED',
    () => stranger.leaf({ uris: [them] }),
    /UNABLE_TO/,
  ],
  [
    'was signed by a root of the same name',
    'PEER_CERTIFICATE_UNTRUSTED',
    () => namesake.leaf({ uris: [them] }),
    /UNABLE_TO|SIGNATURE/,
  ],
  ['has a key of RSA 1024', 'PEER_CERTIFICATE_WEAK', made({ keyAlgorithm: rsa1024 }), /key/],
  ['was signed with SHA-1', 'PEER_CERTIFICATE_WEAK', made({ hash: 'SHA-1' }), /digest|signature/],
  ['signed itself', 'PEER_CERTIFICATE_UNTRUSTED', () => selfSigned(them), /SELF_SIGNED/],
  ...[
    ['has a name of another scheme', 'https://cluster.local/ns/shop/sa/them'],
    ['has a trust domain in capitals', 'spiffe://CLUSTER.LOCAL/ns/shop/sa/them'],
    ['has a scheme in capitals', 'SPIFFE://cluster.local/ns/shop/sa/them'],
    ['is for every namespace', 'spiffe://cluster.local/ns/*/sa/them'],
    ['escapes a letter of its name', 'spiffe://cluster.local/ns/shop/sa/%74hem'],
    ['has a port in its name', 'spiffe://cluster.local:443/ns/shop/sa/them'],
    ['has a user in its name', 'spiffe://us@cluster.local/ns/shop/sa/them'],
    ['has a query in its name', 'spiffe://cluster.local/ns/shop/sa/them?sa=us'],
    ['has a step up in its name', 'spiffe://cluster.local/ns/shop/sa/us/../them'],
    ['has a slash more in its name', 'spiffe://cluster.local/ns/shop/sa/them/'],
    ['names a trust domain alone', 'spiffe://cluster.local'],
  ].map(
    ([name = '', uri = '']): Animal => [
      name,
      'PEER_IDENTITY_INVALID',
      made({ uris: [uri] }),
      /is not an identity/,
    ],
  ),
  ['has two lists of names', 'PEER_CERTIFICATE_UNTRUSTED', made({ extensions: [secondNames] }), /./],
  ['has a critical extension that nobody knows', unnamed, made({ extensions: [unknownExtension] }), /./],
  ['was signed by a workload', 'PEER_USAGE_REFUSED', below({ ca: false }), /INVALID_PURPOSE/],
  [
    'has outlived its issuer',
    'CERTIFICATE_EXPIRED',
    below({ notAfterMs: now - hourMs / 2 }),
    /CERT_HAS_EXPIRED/,
  ],
  ['is of an issuer signed with SHA-1', 'PEER_CERTIFICATE_WEAK', below({ hash: 'SHA-1' }), /./],
  ['is of an issuer of RSA 1024', 'PEER_CERTIFICATE_WEAK', below({ keyAlgorithm: rsa1024 }), /./],
  ['is of an issuer for other names', unnamed, below({ extensions: [onlyFor('other.example')] }), /./],
]

describe.each(zoo)('a certificate that %s', (_name, codes, make, reason) => {
  const code = codeFor(codes, 'client')
  it(`is refused as a client's, also with a session of its first try: ${code}`, async () => {
    refusals.length = 0
    accepted.length = 0
    const own = await make('client')
    const first = await show(own)
    const second = await show(own, first.ticket)
    expect([first.text, second.text]).toEqual(['', ''])
    await expect.poll(() => refusals.length).toBe(2)
    expect(refusals.map((refusal) => refusal.code)).toEqual([code, code])
    expect(refusals[0]?.message).toMatch(reason)
    expect(accepted).toEqual([])
  })

  const codeOfServer = codeFor(codes, 'server')
  it(`is refused as a server's, at the second try too: ${codeOfServer}`, async () => {
    expect(await dial(await make('server'))).toEqual([codeOfServer, codeOfServer])
  })
})

it.each([
  ['as it should be', () => root.leaf({ uris: [them] })],
  ['with a subject, too', () => root.leaf({ uris: [them], subject: 'CN=anything' })],
  ['with names of other kinds beside its own', () => root.leaf({ uris: [them], dns: ['them.shop'] })],
  ['of an issuer below the root', below({})],
  ['of an issuer for names of this mesh alone', below({ extensions: [onlyFor('cluster.local')] })],
  ['that will outlive its issuer', below({ notAfterMs: now + hourMs / 2 })],
  ['with an extension that nobody knows, and need not', made({ extensions: [harmlessExtension] })],
])('a certificate %s is taken in both directions', async (_name, make) => {
  accepted.length = 0
  const own = await make()
  expect((await show(own)).text).toBe('welcome')
  expect(accepted).toEqual([them])
  expect(await dialled(own)).toBe('ok')
})

async function dialled(own: KeyAndCertificate): Promise<string> {
  const peer = createTlsServer(
    { key: own.keyPem, cert: own.certificatePem, ALPNProtocols: ['weft-h1'] },
    (tls) => tls.on('error', () => tls.destroy()),
  )
  const port = await listening(peer)
  const client = new TlsClient({ identities: await ours(), verifier: verifier(), clock: systemClock })
  try {
    const tls = await client.connect({
      host: '127.0.0.1',
      port,
      alpn: 'weft-h1',
      expectedIdentity: them,
      timeoutMs: 5_000,
    })
    tls.destroy()
    return 'ok'
  } finally {
    client.close()
    peer.close()
  }
}
