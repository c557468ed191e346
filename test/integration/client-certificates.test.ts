/** Who may call the control plane: whoever proves to be a workload, by a certificate of the mesh or by a token. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import http2 from 'node:http2'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Client, credentials, Metadata, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aggregatedDiscoveryService, certificateService } from '../../api/xds/services.ts'
import { createWorkloadToken } from '../../cli/token.ts'
import { createCertificateRequest } from '../../proxy/identity/certificate-request.ts'
import { makeKey } from '../../proxy/identity/own-certificate.ts'
import { type Leaf, selfSigned, TestRoot } from '../../proxy/identity/test-pki.ts'
import { issuerFiles, issuerTexts, replaceIssuer } from '../support/own-issuer.ts'
import {
  removeFolder,
  startTestControlPlane,
  type TestControlPlane,
} from '../support/running-control-plane.ts'

const web = 'spiffe://cluster.local/ns/shop/sa/web'
const hourMs = 3_600_000
const accepted = 'accepted'

let folder: string
let root: TestRoot
let plane: TestControlPlane
/** What servers of the control plane are trusted by: the root before and the root after. */
let trusted: string

type Shown = { readonly certificate?: Leaf; readonly token?: string }

function clientOf({ certificate }: Shown): Client {
  const pair = certificate === undefined ? [] : [certificate.keyPem, certificate.certificatePem]
  const [key = null, chain = null] = pair.map((pem) => Buffer.from(pem))
  const own = credentials.createSsl(Buffer.from(trusted), key, chain)
  return new Client(`localhost:${plane.running.grpcPort}`, own)
}

function metadataOf({ token }: Shown): Metadata {
  const metadata = new Metadata()
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`)
  return metadata
}

/** `accepted`, or the status, of a stream of configuration. */
function open(client: Client, shown: Shown): Promise<string> {
  const {
    path: method,
    requestSerialize,
    responseDeserialize,
  } = aggregatedDiscoveryService.DeltaAggregatedResources
  const stream = client.makeBidiStreamRequest(
    method,
    requestSerialize,
    responseDeserialize,
    metadataOf(shown),
  )
  return new Promise((resolve) => {
    stream.on('metadata', () => {
      resolve(accepted)
      stream.cancel()
    })
    stream.on('error', ({ code }: { readonly code?: status }) => resolve(status[code ?? status.UNKNOWN]))
  })
}

async function once(shown: Shown): Promise<string> {
  const client = clientOf(shown)
  const answer = await open(client, shown)
  client.close()
  return answer
}

/** The name in the certificate that is issued, or the status. */
function enrol(shown: Shown): Promise<string> {
  const client = clientOf(shown)
  const { path: method, requestSerialize, responseDeserialize } = certificateService.CreateCertificate
  const csr = createCertificateRequest(makeKey(), web)
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      method,
      requestSerialize,
      responseDeserialize,
      { csr },
      metadataOf(shown),
      (error) => {
        client.close()
        resolve(error === null ? accepted : (status[error.code] ?? ''))
      },
    )
  })
}

const tokenOf = (serviceAccount: string, ttl = '1h'): string =>
  createWorkloadToken({ state: path.join(folder, 'state'), namespace: 'shop', serviceAccount, ttl })

const refusals = (): readonly { readonly code?: string; readonly reason?: string }[] =>
  plane.logLines
    .map(
      (line) =>
        JSON.parse(line) as { readonly level: string; readonly code?: string; readonly reason?: string },
    )
    .filter(({ level }) => level === 'warn')

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'weft-clients-'))
  root = await TestRoot.make('the mesh')
  trusted = root.pem
  for (const [name, text] of Object.entries(await issuerTexts(root, root)))
    writeFileSync(path.join(folder, name), text, { mode: 0o600 })
  plane = await startTestControlPlane({}, { folder, issuer: issuerFiles(folder) })
})
afterAll(async () => {
  await plane?.stop()
  removeFolder(folder)
})

test('a certificate of the mesh is enough, and so is a token, alone or beside it', async () => {
  const certificate = await root.leaf({ uris: [web] })
  expect(await once({ certificate })).toBe(accepted)
  expect(await once({ token: tokenOf('web') })).toBe(accepted)
  expect(await once({ certificate, token: tokenOf('web') })).toBe(accepted)
  // Of an issuer below the root, which the client brings along.
  const below = await root.below()
  expect(await once({ certificate: await below.leaf({ uris: [web] }) })).toBe(accepted)
})

test.each<[string, () => Promise<Leaf | undefined>, string, RegExp]>([
  ['is none', () => Promise.resolve(undefined), 'TOKEN_MALFORMED', /authorization/],
  [
    'is of another trust domain',
    () => root.leaf({ uris: ['spiffe://other.example/ns/shop/sa/web'] }),
    'PEER_TRUST_DOMAIN_MISMATCH',
    /not of cluster\.local/,
  ],
  [
    'is expired',
    () => root.leaf({ uris: [web], notBeforeMs: Date.now() - 2 * hourMs, notAfterMs: Date.now() - hourMs }),
    'PEER_CERTIFICATE_UNTRUSTED',
    /CERT_HAS_EXPIRED/,
  ],
  [
    'is not valid yet',
    () => root.leaf({ uris: [web], notBeforeMs: Date.now() + hourMs, notAfterMs: Date.now() + 2 * hourMs }),
    'PEER_CERTIFICATE_UNTRUSTED',
    /CERT_NOT_YET_VALID/,
  ],
  [
    'is of another root',
    async () => (await TestRoot.make('somebody else')).leaf({ uris: [web] }),
    'PEER_CERTIFICATE_UNTRUSTED',
    /UNABLE_TO/,
  ],
  [
    'is of another root of the same name',
    async () => (await TestRoot.make('the mesh')).leaf({ uris: [web] }),
    'PEER_CERTIFICATE_UNTRUSTED',
    /UNABLE_TO|SIGNATURE/,
  ],
  ['signed itself', () => selfSigned(web), 'PEER_CERTIFICATE_UNTRUSTED', /SELF_SIGNED/],
  ['names two', () => root.leaf({ uris: [web, `${web}2`] }), 'PEER_IDENTITY_INVALID', /2 URI names/],
  ['names no workload', () => root.leaf({ uris: [], dns: ['web.shop'] }), 'PEER_IDENTITY_INVALID', /0 URI/],
  ['is for servers only', () => root.leaf({ uris: [web], usages: ['server'] }), 'PEER_', /PURPOSE|no client/],
  ['is that of a CA', () => root.leaf({ uris: [web], ca: true }), 'PEER_IDENTITY_INVALID', /that of a CA/],
])(
  'a certificate that %s proves nothing, and keeps nobody out who has a token',
  async (_what, make, code, reason) => {
    const certificate = await make()
    const shown = certificate === undefined ? {} : { certificate }
    const before = refusals().length
    expect(await once(shown)).toBe('UNAUTHENTICATED')
    expect(refusals().slice(before)).toEqual([
      expect.objectContaining({ code: expect.stringContaining(code), reason: expect.stringMatching(reason) }),
    ])
    expect(await once({ ...shown, token: tokenOf('web') })).toBe(accepted)
  },
)

test('a certificate and a token of two workloads are refused, whatever each is worth', async () => {
  const certificate = await root.leaf({ uris: [web] })
  expect(await once({ certificate, token: tokenOf('admin') })).toBe('UNAUTHENTICATED')
  expect(refusals().at(-1)).toMatchObject({
    code: 'TOKEN_MISMATCH',
    reason: 'the certificate is of shop/web, the token of shop/admin',
  })
})

test('a token that does not count, or cannot be asked about, does not make a certificate worthless', async () => {
  const certificate = await root.leaf({ uris: [web] })
  expect(await once({ certificate, token: 'a.b.c' })).toBe(accepted)
})

test('certificates are issued for tokens alone: who has stolen one cannot have it renewed for ever', async () => {
  const certificate = await root.leaf({ uris: [web] })
  expect(await enrol({ certificate })).toBe('UNAUTHENTICATED')
  expect(await enrol({ certificate, token: 'a.b.c' })).toBe('UNAUTHENTICATED')
  expect(await enrol({ certificate, token: tokenOf('web') })).toBe(accepted)
})

test('a token of a megabyte ends its own connection at most', async () => {
  const { path: method } = certificateService.CreateCertificate
  const session = http2.connect(`https://localhost:${plane.running.grpcPort}`, {
    ca: trusted,
    maxSendHeaderBlockLength: 4 * 1024 * 1024,
  })
  session.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': method,
      'content-type': 'application/grpc',
      authorization: `Bearer ${'x'.repeat(1024 * 1024)}`,
    })
    stream.on('error', () => undefined)
    stream.on('close', resolve)
  })
  await ended
  session.destroy()
  expect(await once({ token: tokenOf('web') })).toBe(accepted)
})

test('it counts for calls until it ends, on a connection that stands, too', async () => {
  // Certificates know whole seconds.
  const endsMs = Math.ceil(Date.now() / 1000) * 1000 + 1_000
  const certificate = await root.leaf({ uris: [web], notAfterMs: endsMs })
  const client = clientOf({ certificate })
  expect(await open(client, {})).toBe(accepted)
  await new Promise((resolve) => setTimeout(resolve, endsMs - Date.now() + 50))
  expect(await open(client, {})).toBe('UNAUTHENTICATED')
  expect(refusals().at(-1)).toMatchObject({ code: 'CERTIFICATE_EXPIRED' })
  expect(await open(client, { token: tokenOf('web') })).toBe(accepted)
  client.close()
})

test('other roots count from the moment they are trusted, without a restart, and the old one does not any more', async () => {
  const next = await TestRoot.make('the next')
  trusted = root.pem + next.pem
  const [old, young] = [await root.leaf({ uris: [web] }), await next.leaf({ uris: [web] })]
  const standing = clientOf({ certificate: old })
  expect(await open(standing, {})).toBe(accepted)
  expect(await once({ certificate: young })).toBe('UNAUTHENTICATED')
  await replaceIssuer(folder, next, next)
  await expect.poll(() => once({ certificate: young }), { timeout: 10_000 }).toBe(accepted)
  // Nobody has to be waited for: no sidecar is connected.
  await expect.poll(() => once({ certificate: old }), { timeout: 15_000 }).toBe('UNAUTHENTICATED')
  // That one may have connected before: of one that comes now it is the chain.
  expect(await once({ certificate: old })).toBe('UNAUTHENTICATED')
  expect(refusals().at(-1)?.reason).toMatch(/UNABLE_TO|SELF_SIGNED/)
  expect(await open(standing, {})).toBe('UNAUTHENTICATED')
  expect(refusals().at(-1)?.reason).toContain('before the roots of the mesh changed')
  standing.close()
}, 30_000)
