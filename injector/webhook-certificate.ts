/** The webhook's own certificate: self-signed, short-lived, its key never outside of this process. */
import 'reflect-metadata'
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import type { KeyPair } from './webhook-server.ts'

export type WebhookCertificate = KeyPair & { readonly notAfterMs: number }

const signing = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
/** Clocks of API servers may be behind. */
const backdateMs = 3_600_000
export const certificateLifetimeMs = 7 * 86_400_000

/** A certificate for `dnsNames` that is trusted by being known itself: it can sign nothing else. */
export async function makeWebhookCertificate(
  dnsNames: readonly string[],
  nowMs: number,
): Promise<WebhookCertificate> {
  const keys = await webcrypto.subtle.generateKey(signing, true, ['sign', 'verify'])
  const notAfterMs = nowMs + certificateLifetimeMs
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // Each has a name of its own: the API server would else take one for the issuer of another.
    name: [{ O: ['weft'] }, { CN: [`weft injector ${randomBytes(8).toString('hex')}`] }],
    serialNumber: randomBytes(16).toString('hex'),
    keys,
    signingAlgorithm: signing,
    notBefore: new Date(nowMs - backdateMs),
    notAfter: new Date(notAfterMs),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        dnsNames.map((value) => ({ type: 'dns', value }) as const),
        false,
      ),
    ],
  })
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  const keyPem = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    format: 'pem',
    type: 'pkcs8',
  }) as string
  return { keyPem, certificatePem: `${certificate.toString('pem').trim()}\n`, notAfterMs }
}
