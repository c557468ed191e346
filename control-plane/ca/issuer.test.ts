import { X509Certificate, createPrivateKey, generateKeyPairSync, webcrypto } from 'node:crypto'
import { describe, expect, it } from 'vitest'
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
  options: { algorithm?: object; ca?: boolean; notAfterMs?: number; uri?: string } = {},
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
    signingAlgorithm: above.algorithm,
    notBefore: new Date(clock.wallMs() - hourMs),
    notAfter: new Date(options.notAfterMs ?? clock.wallMs() + 10 * hourMs),
    extensions: [
      new x509.BasicConstraintsExtension(options.ca ?? true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      new x509.SubjectKeyIdentifierExtension('0102030405060708090a0b0c0d0e0f1011121314'),
      ...(options.uri === undefined
        ? []
        : [new x509.SubjectAlternativeNameExtension([{ type: 'url', value: options.uri }])]),
    ],
  })
  return { keyPem: await pemOf(keys.privateKey), certificatePem: `${certificate.toString('pem')}\n` }
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
      const root = await makeRoot(trustDomain, clock)
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
    [
      'leads to another root',
      async () => intermediate(await makeRoot(trustDomain, clock)),
      'does not lead to a root',
    ],
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
      'is none',
      async (root) => ({ ...(await intermediate(root)), certificatePem: '' }),
      'holds no certificate',
    ],
  ])('is refused when it %s', async (_what, make, reason) => {
    const root = await makeRoot(trustDomain, clock)
    const loading = loadIssuer(await make(root), { rootsPem: root.certificatePem, names, trustDomain, clock })
    await expect(loading).rejects.toMatchObject({
      code: 'STATE_FILE_INVALID',
      message: expect.stringContaining(reason),
    })
    await expect(loading).rejects.not.toMatchObject({ message: expect.stringContaining('secret words') })
  })

  it('is refused once it, or its root, has ended', async () => {
    const root = await makeRoot(trustDomain, clock)
    const pem = await intermediate(root, { notAfterMs: clock.wallMs() - 1_000 })
    const loading = loadIssuer(pem, { rootsPem: root.certificatePem, names, trustDomain, clock })
    await expect(loading).rejects.toMatchObject({ code: 'CA_EXPIRED' })
  })
})
