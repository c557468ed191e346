import { X509Certificate, createPrivateKey, generateKeyPairSync, webcrypto } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { derElement, tags } from '../../core/der.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { CertificateAuthority } from './certificate-authority.ts'
import { type IssuerPem, loadIssuer } from './issuer.ts'
import { makeRoot } from './root.ts'
import * as x509 from './x509.ts'

const clock = new ManualClock(Math.floor(Date.now() / 1000) * 1000)
const trustDomain = 'cluster.local'
const names = { key: 'the key', certificate: 'the certificate' }
const hourMs = 3_600_000

const p384 = { name: 'ECDSA', namedCurve: 'P-384' }
const rsa = (modulusLength: number) => ({
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: 'SHA-256',
})

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    format: 'pem',
    type: 'pkcs8',
  }) as string
}

/** An issuer under a root, with a key id made in another way than ours, as other tools do. */
async function intermediate(
  root: IssuerPem,
  options: {
    algorithm?: object
    ca?: boolean
    notBeforeMs?: number
    notAfterMs?: number
    uri?: string
    hash?: string
    extensions?: x509.Extension[]
  } = {},
): Promise<IssuerPem> {
  const algorithm = options.algorithm ?? x509.SIGNING
  const keys = (await webcrypto.subtle.generateKey(algorithm as typeof p384, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair
  const above = await loadIssuer(root, { rootsPem: root.certificatePem, names, trustDomain, clock })
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=issuer',
    issuer: above.certificate.subjectName,
    publicKey: keys.publicKey,
    signingKey: above.signingKey,
    signingAlgorithm: { ...above.algorithm, ...(options.hash === undefined ? {} : { hash: options.hash }) },
    notBefore: new Date(options.notBeforeMs ?? clock.wallMs() - hourMs),
    notAfter: new Date(options.notAfterMs ?? clock.wallMs() + 10 * hourMs),
    extensions: [
      new x509.BasicConstraintsExtension(options.ca ?? true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      new x509.SubjectKeyIdentifierExtension('0102030405060708090a0b0c0d0e0f1011121314'),
      ...(options.uri === undefined
        ? []
        : [new x509.SubjectAlternativeNameExtension([{ type: 'url', value: options.uri }])]),
      ...(options.extensions ?? []),
    ],
  })
  return { keyPem: await pemOf(keys.privateKey), certificatePem: `${certificate.toString('pem')}\n` }
}

/** A root of the user's, below which there may be others; weft's own signs leaves alone. */
async function makeUserRoot(withKeyId = false): Promise<IssuerPem> {
  const keys = await webcrypto.subtle.generateKey(x509.SIGNING, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=our root',
    keys,
    signingAlgorithm: x509.SIGNING,
    notBefore: new Date(clock.wallMs() - hourMs),
    notAfter: new Date(clock.wallMs() + 100 * hourMs),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ...(withKeyId ? [await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)] : []),
    ],
  })
  return { keyPem: await pemOf(keys.privateKey), certificatePem: `${certificate.toString('pem')}\n` }
}

/** Names under this host alone may be signed for (RFC 5280, 4.2.1.10). */
function onlyFor(host: string): x509.Extension {
  const subtree = derElement(tags.sequence, derElement(0x86, Buffer.from(host)))
  return new x509.Extension('2.5.29.30', true, derElement(tags.sequence, derElement(0xa0, subtree)))
}

async function request(): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(x509.SIGNING, true, ['sign', 'verify'])
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm: x509.SIGNING })
  return csr.toString('pem')
}

describe("a user's own issuer", () => {
  it.each([
    ['P-256', x509.SIGNING],
    ['P-384', p384],
    ['RSA 2048', rsa(2048)],
  ])(
    'with a key of %s signs leaves that lead to the root, and ends them before itself',
    async (_name, algorithm) => {
      const root = await makeUserRoot()
      const pem = await intermediate(root, { algorithm })
      const issuer = await loadIssuer(pem, { rootsPem: root.certificatePem, names, trustDomain, clock })
      const authority = new CertificateAuthority({ issuer: () => issuer, clock })
      const issued = authority.issue(await request(), 'spiffe://cluster.local/ns/shop/sa/web', 0)
      const chain = issued.chainPem.map((part) => new X509Certificate(part))
      expect(chain).toHaveLength(3)
      for (const [i, certificate] of chain.slice(0, 2).entries()) {
        const above = chain[i + 1] as X509Certificate
        expect(certificate.checkIssued(above) && certificate.verify(above.publicKey)).toBe(true)
      }
      expect(issued.notAfterMs).toBe(clock.wallMs() + 10 * hourMs)
      expect(issuer.rootFingerprint).toBe(new X509Certificate(root.certificatePem).fingerprint256)
    },
  )

  it.each<[string, (root: IssuerPem) => Promise<IssuerPem>, string]>([
    ['is not that of a CA', (root) => intermediate(root, { ca: false }), 'not the certificate of a CA'],
    ['leads to another root', async () => intermediate(await makeUserRoot()), 'does not lead to a root'],
    [
      'is for another trust domain',
      (root) => intermediate(root, { uri: 'spiffe://other.example' }),
      'for trust domain',
    ],
    ['has a key of RSA 1024', (root) => intermediate(root, { algorithm: rsa(1024) }), '2048 bits'],
    [
      'has the key of another',
      async (root) => ({ ...(await intermediate(root)), keyPem: (await intermediate(root)).keyPem }),
      'does not belong',
    ],
    [
      'has a key that is none',
      async (root) => ({ ...(await intermediate(root)), keyPem: 'secret words' }),
      'the key is not usable',
    ],
    [
      'has a key of another kind',
      async (root) => ({
        ...(await intermediate(root)),
        keyPem: generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
      }),
      '2048 bits',
    ],
    [
      'is not in force yet',
      (root) => intermediate(root, { notBeforeMs: clock.wallMs() + hourMs }),
      'not valid before',
    ],
    [
      'may sign for other names alone',
      (root) => intermediate(root, { extensions: [onlyFor('other.example')] }),
      'is not taken: permitted subtree violation',
    ],
    [
      'may sign for servers alone',
      (root) => {
        const usage = new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth])
        return intermediate(root, { extensions: [usage] })
      },
      'is not taken: INVALID_PURPOSE',
    ],
    ['was signed with SHA-1', (root) => intermediate(root, { hash: 'SHA-1' }), 'is not taken'],
    [
      'is none',
      async (root) => ({ ...(await intermediate(root)), certificatePem: '' }),
      'holds no certificate',
    ],
  ])('is refused when it %s', async (_what, make, reason) => {
    const root = await makeUserRoot()
    const loading = loadIssuer(await make(root), { rootsPem: root.certificatePem, names, trustDomain, clock })
    await expect(loading).rejects.toMatchObject({
      code: 'STATE_FILE_INVALID',
      message: expect.stringContaining(reason),
    })
    await expect(loading).rejects.not.toMatchObject({ message: expect.stringContaining('secret words') })
  })

  it('is refused below a root that may have none below it, as peers would refuse all that it signs', async () => {
    const root = await makeRoot(trustDomain, clock)
    const pem = await intermediate(root)
    const loading = loadIssuer(pem, { rootsPem: root.certificatePem, names, trustDomain, clock })
    await expect(loading).rejects.toMatchObject({ message: expect.stringContaining('PATH_LENGTH_EXCEEDED') })
  })

  it('is refused beside another root of its name where no key id tells them apart: half of the mesh would fail', async () => {
    const [root, namesake] = [await makeUserRoot(), await makeUserRoot()]
    const rootsPem = root.certificatePem + namesake.certificatePem
    for (const pem of [root, await intermediate(root)])
      await expect(loadIssuer(pem, { rootsPem, names, trustDomain, clock })).rejects.toMatchObject({
        message: expect.stringContaining('another root has the name "CN=our root", too'),
      })
    const withIds = await Promise.all([makeUserRoot(true), makeUserRoot(true)])
    const both = withIds.map(({ certificatePem }) => certificatePem).join('')
    await loadIssuer(withIds[0], { rootsPem: both, names, trustDomain, clock })
  })

  it('may be for names of this mesh alone', async () => {
    const root = await makeUserRoot()
    const pem = await intermediate(root, { extensions: [onlyFor(trustDomain)] })
    await loadIssuer(pem, { rootsPem: root.certificatePem, names, trustDomain, clock })
  })

  it('is refused once it, or its root, has ended', async () => {
    const root = await makeUserRoot()
    const pem = await intermediate(root, { notAfterMs: clock.wallMs() - 1_000 })
    const loading = loadIssuer(pem, { rootsPem: root.certificatePem, names, trustDomain, clock })
    await expect(loading).rejects.toMatchObject({ code: 'CA_EXPIRED' })
  })
})
