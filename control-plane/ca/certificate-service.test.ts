import { X509Certificate, webcrypto } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ChannelCredentials,
  Client,
  Metadata,
  Server,
  type ServiceError,
  credentials,
  status,
} from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { certificateService } from '../../api/xds/services.ts'
import { createLog } from '../../core/log.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { CertificateAuthority } from './certificate-authority.ts'
import { certificateHandlers } from './certificate-service.ts'
import { MeshTrust } from './mesh-trust.ts'
import { makeRoot } from './root.ts'
import { ServerCertificate } from './server-certificate.ts'
import { StateFolder } from './state-folder.ts'
import { TrustFolder } from './trust-folder.ts'
import { TokenAuthenticator, createToken } from './token.ts'
import { type TokenKey, openTokenKey } from './token-key.ts'
import * as x509 from './x509.ts'

const HOUR_MS = 3_600_000

describe('the certificate service over TLS', () => {
  let parent: string
  let clock: ManualClock
  let key: TokenKey
  let trust: MeshTrust
  let authority: CertificateAuthority
  let serverCertificate: ServerCertificate
  let server: Server
  let port: number
  let lines: string[]
  let open: Client[]
  let csr: string

  beforeEach(async () => {
    parent = mkdtempSync(join(tmpdir(), 'weft-ca-service-'))
    // Far enough back that what is issued half a lifetime later is in force by the real clock too, which OpenSSL reads.
    clock = new ManualClock(Math.floor(Date.now() / 1000) * 1000 - 13 * HOUR_MS)
    lines = []
    open = []
    const log = createLog({
      process: 'test',
      level: 'info',
      destination: { write: (line) => void lines.push(line) },
    })
    const folder = new StateFolder(parent)
    key = openTokenKey(folder)
    const trustDomain = 'cluster.local'
    const store = new TrustFolder({ folder, trustDomain, clock, log })
    trust = await MeshTrust.open({ store, trustDomain, clock, log })
    authority = new CertificateAuthority({ issuer: () => trust.current.issuer, clock })
    serverCertificate = new ServerCertificate({
      authority,
      dnsNames: ['weft-control-plane'],
      clientRoots: () => trust.current.bundlePem,
      clock,
      log,
    })
    await serverCertificate.start()
    const authenticator = new TokenAuthenticator({ publicKey: key.publicKey, clock })
    server = new Server()
    const handlers = certificateHandlers({
      authority,
      authenticator,
      trustDomain,
      clock,
      log,
      burst: 3,
      perMinute: 60,
    })
    server.addService(certificateService, { ...handlers })
    port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', serverCertificate.credentials, (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      )
    })
    const keys = await webcrypto.subtle.generateKey(x509.SIGNING, true, ['sign', 'verify'])
    csr = (
      await x509.Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm: x509.SIGNING })
    ).toString('pem')
  })

  afterEach(() => {
    for (const client of open) client.close()
    serverCertificate.stop()
    server.forceShutdown()
    rmSync(parent, { recursive: true })
  })

  const token = (serviceAccount = 'web', ttlMs = HOUR_MS) =>
    createToken({ privateKey: key.privateKey, identity: { namespace: 'shop', serviceAccount }, clock, ttlMs })

  const trusted = () => credentials.createSsl(Buffer.from(trust.current.bundlePem))
  const clientOf = (trust: ChannelCredentials = trusted()) => {
    const client = new Client(`localhost:${port}`, trust)
    open.push(client)
    return client
  }

  const call = (authorization: string | undefined, request: object = { csr }, client = clientOf()) => {
    const { path, requestSerialize, responseDeserialize } = certificateService.CreateCertificate
    const metadata = new Metadata()
    if (authorization !== undefined) metadata.set('authorization', authorization)
    return new Promise<readonly string[]>((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        (error, response) =>
          error === null ? resolve((response as { certChain?: string[] }).certChain ?? []) : reject(error),
      )
    })
  }

  const failure = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      ({ code, details }: ServiceError) => ({ code, details }),
    )

  const logged = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>)

  it('issues for the identity of the token, with one audit line', async () => {
    const chain = await call(`Bearer ${token()}`, { csr, validityDuration: 3600 })
    const leaf = new X509Certificate(chain[0] as string)
    expect(leaf.subjectAltName).toBe('URI:spiffe://cluster.local/ns/shop/sa/web')
    expect(leaf.validToDate.getTime()).toBe(clock.wallMs() + HOUR_MS)
    expect(chain[1]).toBe(trust.current.bundlePem)
    const audit = logged().filter((line) => line['audit'] === 'certificate')
    expect(audit).toEqual([
      expect.objectContaining({
        identity: 'spiffe://cluster.local/ns/shop/sa/web',
        serial: leaf.serialNumber.toLowerCase(),
        peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      }),
    ])
  })

  it('is served under every name it should have', () => {
    expect(new X509Certificate(serverCertificate.chainPem).subjectAltName).toBe(
      'DNS:weft-control-plane, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    )
  })

  it('tells a refused client nothing, and the log everything', async () => {
    const expired = token('web', 1000)
    clock.advance(HOUR_MS)
    const cases: [string | undefined, string][] = [
      [undefined, 'TOKEN_MALFORMED'],
      ['Basic abc', 'TOKEN_MALFORMED'],
      ['Bearer a.b.c', 'TOKEN_MALFORMED'],
      [`Bearer ${expired}`, 'TOKEN_EXPIRED'],
    ]
    for (const [authorization, code] of cases) {
      const opaque = { code: status.UNAUTHENTICATED, details: 'authentication failed' }
      expect(await failure(call(authorization))).toEqual(opaque)
      expect(logged().at(-1)).toMatchObject({ level: 'warn', code })
    }
    expect(lines.join('')).not.toContain(expired)
  })

  it('refuses a bad request', async () => {
    const refused = { code: status.INVALID_ARGUMENT, details: 'the certificate request is refused' }
    expect(await failure(call(`Bearer ${token()}`, {}))).toEqual(refused)
    expect(await failure(call(`Bearer ${token()}`, { csr: 'x' }))).toEqual(refused)
    expect(logged().at(-1)).toMatchObject({ code: 'CSR_REFUSED' })
  })

  it('limits each identity by itself', async () => {
    for (let i = 0; i < 3; i++) await call(`Bearer ${token()}`)
    expect(await failure(call(`Bearer ${token()}`))).toMatchObject({ code: status.RESOURCE_EXHAUSTED })
    expect(await call(`Bearer ${token('catalog')}`)).toHaveLength(2)
    clock.advance(1000)
    expect(await call(`Bearer ${token()}`)).toHaveLength(2)
  })

  it('is not trusted by a client with another root', async () => {
    const other = await makeRoot('cluster.local', clock)
    const stranger = clientOf(credentials.createSsl(Buffer.from(other.certificatePem)))
    expect(await failure(call(`Bearer ${token()}`, { csr }, stranger))).toMatchObject({
      code: status.UNAVAILABLE,
    })
  })

  it('renews its server certificate at half-life while serving', async () => {
    const before = serverCertificate.chainPem
    const client = clientOf()
    await call(`Bearer ${token()}`, { csr }, client)
    await clock.advanceAsync(12 * HOUR_MS + 120_000)
    await expect.poll(() => serverCertificate.chainPem).not.toBe(before)
    expect(await call(`Bearer ${token()}`, { csr }, client)).toHaveLength(2)
    expect(await call(`Bearer ${token()}`)).toHaveLength(2)
  })
})
