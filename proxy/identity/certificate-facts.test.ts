import 'reflect-metadata'
import { X509Certificate, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } from '@peculiar/x509'
import { beforeAll, describe, expect, it } from 'vitest'
import { readCertificateFacts } from './certificate-facts.ts'
import { createCertificateRequest } from './certificate-request.ts'
import { TestRoot } from './test-pki.ts'

let root: TestRoot
beforeAll(async () => void (root = await TestRoot.make()))

describe('readCertificateFacts', () => {
  it('reads names, usages and validity', async () => {
    const notBeforeMs = Date.UTC(2026, 1, 3, 4, 5, 6)
    const notAfterMs = Date.UTC(2051, 1, 3, 4, 5, 6)
    const uris = ['spiffe://cluster.local/ns/a/sa/b', 'spiffe://cluster.local/ns/c/sa/d']
    const leaf = await root.leaf({ uris, dns: ['a.example'], usages: ['client'], notBeforeMs, notAfterMs })
    expect(readCertificateFacts(new X509Certificate(leaf.certificatePem).raw)).toEqual({
      uris,
      isCa: false,
      serverAuth: false,
      clientAuth: true,
      notBeforeMs,
      notAfterMs,
    })
  })

  it('knows a CA, and a certificate without names', async () => {
    expect(readCertificateFacts(new X509Certificate(root.pem).raw)).toMatchObject({
      isCa: true,
      uris: [],
      serverAuth: false,
    })
  })

  it('is not led astray by a name that looks like two', async () => {
    const dns = ['a", URI:spiffe://cluster.local/ns/kube-system/sa/admin']
    const leaf = await root.leaf({ uris: [], dns })
    expect(readCertificateFacts(new X509Certificate(leaf.certificatePem).raw).uris).toEqual([])
  })

  it('refuses every truncation, and never loops or throws anything else', async () => {
    const { raw } = new X509Certificate((await root.leaf()).certificatePem)
    const invalid = expect.objectContaining({ code: 'CERTIFICATE_INVALID' })
    for (let length = 0; length < raw.length; length++) {
      expect(() => readCertificateFacts(raw.subarray(0, length))).toThrow(invalid)
    }
    for (let i = 0; i < raw.length; i++) {
      const changed = Buffer.from(raw)
      changed[i] = (changed[i] as number) ^ 0xff
      try {
        readCertificateFacts(changed)
      } catch (error) {
        expect(error).toEqual(invalid)
      }
    }
  })
})

it('makes a request that others can read and verify, with the public key and the identity alone', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = createCertificateRequest(privateKey, 'spiffe://cluster.local/ns/shop/sa/web')
  const request = new Pkcs10CertificateRequest(pem)
  expect(await request.verify()).toBe(true)
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  expect(Buffer.from(request.publicKey.rawData)).toEqual(spki)
  const names = request.getExtension('2.5.29.17') as SubjectAlternativeNameExtension | null
  expect(JSON.stringify(names)).toContain('spiffe://cluster.local/ns/shop/sa/web')
  const secret = Buffer.from(privateKey.export({ format: 'jwk' }).d as string, 'base64url')
  expect(Buffer.from(request.rawData).includes(secret)).toBe(false)
})
