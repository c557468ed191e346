import 'reflect-metadata'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } from '@peculiar/x509'
import { expect, it } from 'vitest'
import { createCertificateRequest } from './certificate-request.ts'

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
