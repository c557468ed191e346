/** The root of the mesh's trust as weft makes it: a key and a self-signed certificate. */
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import { WeftError, reasonOf } from '../../core/errors.ts'
import type { IssuerPem } from './issuer.ts'
import * as x509 from './x509.ts'

const LIFETIME_MS = 10 * 365 * 86_400_000
/** Clocks may be, or be set, days behind: leaves are made anew then, but a root that is not valid yet would stop everything. */
const BACKDATE_MS = 7 * 86_400_000

/** A new root, valid from now. */
export async function makeRoot(trustDomain: string, clock: Clock): Promise<IssuerPem> {
  const keyPem = await makeRootKey()
  return { keyPem, certificatePem: await makeRootCertificate(keyPem, 'the new root key', trustDomain, clock) }
}

export async function makeRootKey(): Promise<string> {
  const { privateKey } = await webcrypto.subtle.generateKey(x509.SIGNING, true, ['sign', 'verify'])
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    format: 'pem',
    type: 'pkcs8',
  }) as string
}

/** A certificate for a root key; it verifies all that the key ever signed. Throws STATE_FILE_INVALID, naming `keyName`. */
export async function makeRootCertificate(
  keyPem: string,
  keyName: string,
  trustDomain: string,
  clock: Clock,
): Promise<string> {
  const keys = await importKeys(keyPem, keyName)
  const nowMs = clock.wallMs()
  const serial = randomBytes(16).toString('hex')
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // Two roots of one name could not be told apart by those who look for an issuer.
    name: [{ O: ['weft'] }, { CN: [`weft root ${serial.slice(0, 8)} of ${trustDomain}`.slice(0, 64)] }],
    serialNumber: serial,
    keys,
    signingAlgorithm: x509.SIGNING,
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + LIFETIME_MS),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${trustDomain}` }], false),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

async function importKeys(pem: string, name: string): Promise<webcrypto.CryptoKeyPair> {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('it is not a P-256 key')
    const { x, y } = key.export({ format: 'jwk' })
    const publicJwk = { kty: 'EC', crv: 'P-256', x, y } as webcrypto.JsonWebKey
    const pkcs8 = key.export({ format: 'der', type: 'pkcs8' })
    return {
      privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, x509.SIGNING, false, ['sign']),
      publicKey: await webcrypto.subtle.importKey('jwk', publicJwk, x509.SIGNING, true, ['verify']),
    }
  } catch (error) {
    throw new WeftError('STATE_FILE_INVALID', `${name} is not usable: ${reasonOf(error)}`, { cause: error })
  }
}
