import { X509Certificate, createHash, generateKeyPairSync, webcrypto } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLog } from '../../core/log.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { CertificateAuthority } from './certificate-authority.ts'
import { MeshTrust } from './mesh-trust.ts'
import { StateFolder } from './state-folder.ts'
import { TrustFolder } from './trust-folder.ts'
import * as x509 from './x509.ts'

const log = createLog({ process: 'test', level: 'silent' })
const ID = 'spiffe://cluster.local/ns/shop/sa/web'
const HOUR_MS = 3_600_000

let parent: string
let clock: ManualClock
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'weft-ca-'))
  clock = new ManualClock(Math.floor(Date.now() / 1000) * 1000)
})
afterEach(() => rmSync(parent, { recursive: true }))

const open = async (trustDomain = 'cluster.local') => {
  const store = new TrustFolder({ folder: new StateFolder(parent), trustDomain, clock, log })
  return (await MeshTrust.open({ store, trustDomain, clock, log })).current.issuer
}

type KeyAlgorithm = Parameters<typeof webcrypto.subtle.generateKey>[0]

async function request(
  algorithm: KeyAlgorithm = x509.SIGNING,
  options: { extensions?: x509.Extension[]; name?: string; hash?: string } = {},
): Promise<string> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    keys,
    name: options.name ?? '',
    signingAlgorithm: { ...(algorithm as object), hash: options.hash ?? 'SHA-256' } as x509.HashedAlgorithm,
    extensions: options.extensions ?? [],
  })
  return csr.toString('pem')
}

const rsa = (modulusLength: number) => ({
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: 'SHA-256',
})

describe('the root in a state folder', () => {
  it('makes a root once, with its key for the owner alone, and reads the same after a restart', async () => {
    const first = await open()
    expect(statSync(join(parent, 'root-key.pem')).mode & 0o777).toBe(0o600)
    expect((await open()).rootPem).toBe(first.rootPem)
    const certificate = new X509Certificate(first.rootPem)
    expect(certificate.ca).toBe(true)
    expect(certificate.subjectAltName).toBe('URI:spiffe://cluster.local')
    expect(certificate.verify(certificate.publicKey)).toBe(true)
  })

  it('gives both of two processes that start at once the same root', async () => {
    const [first, second] = await Promise.all([open(), open()])
    expect(first.rootPem).toBe(second.rootPem)
  })

  it('makes only the certificate anew when the key alone is left', async () => {
    const before = new X509Certificate((await open()).rootPem)
    rmSync(join(parent, 'root-cert.pem'))
    const after = new X509Certificate((await open()).rootPem)
    const digest = (certificate: X509Certificate) =>
      createHash('sha256')
        .update(certificate.publicKey.export({ format: 'der', type: 'spki' }))
        .digest('hex')
    expect(digest(after)).toBe(digest(before))
  })

  it('never replaces a lost key', async () => {
    await open()
    rmSync(join(parent, 'root-key.pem'))
    await expect(open()).rejects.toMatchObject({ code: 'STATE_FILE_INVALID' })
  })

  it('refuses a key that others may read, a damaged file, a foreign pair, and another trust domain', async () => {
    await open()
    await expect(open('other.example')).rejects.toMatchObject({ code: 'STATE_FILE_INVALID' })
    chmodSync(join(parent, 'root-key.pem'), 0o604)
    await expect(open()).rejects.toMatchObject({ code: 'STATE_FILE_EXPOSED' })
    chmodSync(join(parent, 'root-key.pem'), 0o600)
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    writeFileSync(join(parent, 'root-key.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }))
    await expect(open()).rejects.toMatchObject({ message: expect.stringContaining('does not belong') })
    writeFileSync(
      join(parent, 'root-key.pem'),
      readFileSync(join(parent, 'root-key.pem'), 'utf8').slice(0, 60),
    )
    await expect(open()).rejects.toMatchObject({ code: 'STATE_FILE_INVALID' })
  })

  it('says that the root has expired', async () => {
    await open()
    clock.advance(11 * 365 * 24 * HOUR_MS)
    await expect(open()).rejects.toMatchObject({ code: 'CA_EXPIRED' })
  })
})

describe('CertificateAuthority', () => {
  let authority: CertificateAuthority
  beforeEach(async () => {
    const issuer = await open()
    authority = new CertificateAuthority({ issuer: () => issuer, clock })
  })

  const issued = async (csr: string, ttlMs = 0) => {
    const { chainPem, notAfterMs, serial } = authority.issue(csr, ID, ttlMs)
    const leaf = new x509.X509Certificate(chainPem[0] as string)
    return { leaf, node: new X509Certificate(chainPem[0] as string), chainPem, notAfterMs, serial }
  }

  it('issues a leaf of exactly the shape of a SPIFFE workload certificate', async () => {
    const { leaf, node, chainPem, notAfterMs, serial } = await issued(await request())
    const root = new X509Certificate(chainPem[1] as string)
    expect(node.verify(root.publicKey)).toBe(true)
    expect(node.checkIssued(root)).toBe(true)
    expect(node.subjectAltName).toBe(`URI:${ID}`)
    expect(leaf.getExtension(x509.SubjectAlternativeNameExtension)?.critical).toBe(true)
    expect(node.subject ?? '').toBe('')
    expect(node.ca).toBe(false)
    expect(node.keyUsage?.toSorted()).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
    expect(leaf.getExtension(x509.KeyUsagesExtension)?.usages).toBe(x509.KeyUsageFlags.digitalSignature)
    expect(leaf.notBefore.getTime()).toBe(clock.wallMs() - 120_000)
    expect(notAfterMs).toBe(clock.wallMs() + 24 * HOUR_MS)
    expect(serial.length).toBeGreaterThanOrEqual(28)
  })

  it('never gives two certificates the same serial', async () => {
    const csr = await request()
    const serials = await Promise.all(Array.from({ length: 20 }, async () => (await issued(csr)).serial))
    expect(new Set(serials).size).toBe(20)
  })

  it('ignores every name and extension that the request asks for', async () => {
    const extensions = [
      new x509.SubjectAlternativeNameExtension([
        { type: 'url', value: 'spiffe://cluster.local/ns/kube-system/sa/admin' },
        { type: 'dns', value: 'admin.example' },
      ]),
      new x509.BasicConstraintsExtension(true, 5, true),
    ]
    const { node } = await issued(await request(x509.SIGNING, { extensions, name: 'CN=admin' }))
    expect(node.subjectAltName).toBe(`URI:${ID}`)
    expect(node.ca).toBe(false)
    expect(node.subject ?? '').toBe('')
  })

  it('cuts the lifetime to the maximum, to a least, and to the end of the root', async () => {
    const csr = await request()
    expect((await issued(csr, HOUR_MS)).notAfterMs).toBe(clock.wallMs() + HOUR_MS)
    expect((await issued(csr, 400 * 24 * HOUR_MS)).notAfterMs).toBe(clock.wallMs() + 24 * HOUR_MS)
    expect((await issued(csr, 1)).notAfterMs).toBe(clock.wallMs() + 30_000)
    expect((await issued(csr, -5)).notAfterMs).toBe(clock.wallMs() + 24 * HOUR_MS)
    const end = (await open()).notAfterMs
    clock.setWall(end - HOUR_MS)
    expect((await issued(csr)).notAfterMs).toBe(end)
    clock.setWall(end - 1000)
    expect(() => authority.issue(csr, ID, 0)).toThrow(expect.objectContaining({ code: 'CA_EXPIRED' }))
  })

  it.each([
    ['P-384', { name: 'ECDSA', namedCurve: 'P-384' }, 'SHA-384'],
    ['RSA 2048', rsa(2048), 'SHA-256'],
    ['Ed25519', { name: 'Ed25519' }, 'SHA-512'],
  ])('accepts a %s key', async (_name, algorithm, hash) => {
    expect((await issued(await request(algorithm as KeyAlgorithm, { hash }))).node.subjectAltName).toBe(
      `URI:${ID}`,
    )
  })

  it.each([
    ['RSA 1024', rsa(1024), 'SHA-256'],
    ['P-521', { name: 'ECDSA', namedCurve: 'P-521' }, 'SHA-512'],
    ['SHA-1', x509.SIGNING, 'SHA-1'],
  ])('refuses a request with %s', async (_name, algorithm, hash) => {
    const csr = await request(algorithm as KeyAlgorithm, { hash })
    expect(() => authority.issue(csr, ID, 0)).toThrow(expect.objectContaining({ code: 'CSR_REFUSED' }))
  })

  it('refuses a request that is not signed by its own key', async () => {
    const csr = new x509.Pkcs10CertificateRequest(await request())
    const other = new x509.Pkcs10CertificateRequest(await request())
    const forged = Buffer.from(csr.rawData)
    Buffer.from(other.rawData).copy(forged, forged.length - 60, other.rawData.byteLength - 60)
    const pem = x509.PemConverter.encode(forged, 'CERTIFICATE REQUEST')
    expect(() => authority.issue(pem, ID, 0)).toThrow(expect.objectContaining({ code: 'CSR_REFUSED' }))
  })

  it('refuses what is not one request, and what is too large', async () => {
    const csr = await request()
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const bad = [
      '',
      'garbage',
      `${csr}\n${csr}`,
      csr.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE'),
      csr.replace(/[A-Za-z0-9]{20}/, '####'),
      privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
      `-----BEGIN CERTIFICATE REQUEST-----\n${'A'.repeat(20_000)}\n-----END CERTIFICATE REQUEST-----`,
    ]
    for (const pem of bad)
      expect(() => authority.issue(pem, ID, 0)).toThrow(expect.objectContaining({ code: 'CSR_REFUSED' }))
  })
})
