/** The root of the mesh's trust: a key and a self-signed certificate, made once; here in the state folder. */
import {
  type KeyObject,
  createPrivateKey,
  randomBytes,
  webcrypto,
  X509Certificate as NodeCertificate,
} from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import { WeftError, reasonOf } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { StateFolder } from './state-folder.ts'
import * as x509 from './x509.ts'

const KEY_FILE = 'root-key.pem'
const CERTIFICATE_FILE = 'root-cert.pem'
const LIFETIME_MS = 10 * 365 * 86_400_000
/** Clocks of other machines may be behind; a root that is not valid yet would stop every handshake. */
const BACKDATE_MS = 3_600_000

export type Root = {
  readonly certificate: x509.X509Certificate
  readonly certificatePem: string
  readonly signingKey: webcrypto.CryptoKey
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/** A root as it is kept, both in PEM. */
export type RootPem = { readonly keyPem: string; readonly certificatePem: string }

/**
 * Reads the root, or makes it in an empty folder. A key without a certificate gets a new certificate, which
 * verifies all that the key ever signed; a certificate without its key is an error, since nothing can replace it.
 * Throws STATE_FOLDER_UNUSABLE, STATE_FILE_INVALID, STATE_FILE_EXPOSED or CA_EXPIRED.
 */
export async function openRoot(options: {
  readonly folder: StateFolder
  readonly trustDomain: string
  readonly clock: Clock
  readonly log: Log
}): Promise<Root> {
  const { folder, trustDomain, clock, log } = options
  let keyPem = folder.readPrivate(KEY_FILE)
  let certificatePem = folder.read(CERTIFICATE_FILE)
  const names = { key: folder.fileOf(KEY_FILE), certificate: folder.fileOf(CERTIFICATE_FILE) }
  if (keyPem === undefined && certificatePem !== undefined) {
    throw new WeftError('STATE_FILE_INVALID', `${names.key} is missing, but its certificate is there`)
  }
  if (keyPem === undefined) {
    keyPem = folder.createPrivate(KEY_FILE, await makeKey())
    log.info({ file: names.key }, 'made a new root key')
  }
  if (certificatePem === undefined) {
    const keys = await importKeys(keyPem, names.key)
    const made = await makeCertificate(keys, trustDomain, clock.wallMs())
    certificatePem = folder.createPublic(CERTIFICATE_FILE, made)
    log.info({ file: names.certificate }, 'made a new root certificate')
  }
  return loadRoot({ keyPem, certificatePem }, names, trustDomain, clock)
}

/** A new root, valid from now. */
export async function makeRoot(trustDomain: string, clock: Clock): Promise<RootPem> {
  const keyPem = await makeKey()
  const keys = await importKeys(keyPem, 'the new root key')
  return { keyPem, certificatePem: await makeCertificate(keys, trustDomain, clock.wallMs()) }
}

/** Checks a root that was kept; `names` is how its parts are called in errors. Throws STATE_FILE_INVALID, CA_EXPIRED. */
export async function loadRoot(
  { keyPem, certificatePem }: RootPem,
  names: { readonly key: string; readonly certificate: string },
  trustDomain: string,
  clock: Clock,
): Promise<Root> {
  const keys = await importKeys(keyPem, names.key)
  checkCertificate(certificatePem, keys.nodeKey, trustDomain, names.certificate)
  const certificate = new x509.X509Certificate(certificatePem)
  const root: Root = {
    certificate,
    certificatePem,
    signingKey: keys.privateKey,
    notBeforeMs: certificate.notBefore.getTime(),
    notAfterMs: certificate.notAfter.getTime(),
  }
  if (root.notAfterMs <= clock.wallMs()) {
    throw new WeftError('CA_EXPIRED', `the root certificate expired at ${certificate.notAfter.toISOString()}`)
  }
  return root
}

type RootKeys = {
  readonly privateKey: webcrypto.CryptoKey
  readonly publicKey: webcrypto.CryptoKey
  readonly nodeKey: KeyObject
}

async function makeKey(): Promise<string> {
  const { privateKey } = await webcrypto.subtle.generateKey(x509.SIGNING, true, ['sign', 'verify'])
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    format: 'pem',
    type: 'pkcs8',
  }) as string
}

async function importKeys(pem: string, file: string): Promise<RootKeys> {
  try {
    const nodeKey = createPrivateKey(pem)
    if (nodeKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('it is not a P-256 key')
    const pkcs8 = nodeKey.export({ format: 'der', type: 'pkcs8' })
    const { x, y } = nodeKey.export({ format: 'jwk' })
    const publicJwk = { kty: 'EC', crv: 'P-256', x, y } as webcrypto.JsonWebKey
    return {
      nodeKey,
      privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, x509.SIGNING, false, ['sign']),
      publicKey: await webcrypto.subtle.importKey('jwk', publicJwk, x509.SIGNING, true, ['verify']),
    }
  } catch (error) {
    throw new WeftError('STATE_FILE_INVALID', `${file} is not usable: ${reasonOf(error)}`, { cause: error })
  }
}

async function makeCertificate(keys: RootKeys, trustDomain: string, nowMs: number): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ O: ['weft'] }, { CN: [`weft root of ${trustDomain}`.slice(0, 64)] }],
    serialNumber: randomBytes(16).toString('hex'),
    keys: { privateKey: keys.privateKey, publicKey: keys.publicKey },
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

function checkCertificate(pem: string, key: KeyObject, trustDomain: string, file: string): void {
  let certificate: NodeCertificate
  try {
    certificate = new NodeCertificate(pem)
  } catch (error) {
    throw new WeftError('STATE_FILE_INVALID', `${file} is not a certificate: ${reasonOf(error)}`, {
      cause: error,
    })
  }
  if (!certificate.checkPrivateKey(key)) {
    throw new WeftError('STATE_FILE_INVALID', `${file} does not belong to the root key beside it`)
  }
  if (!certificate.ca) throw new WeftError('STATE_FILE_INVALID', `${file} is not the certificate of a CA`)
  const domain = /URI:spiffe:\/\/([^/,\s]+)(?:,|$)/.exec(certificate.subjectAltName ?? '')?.[1]
  if (domain !== undefined && domain !== trustDomain) {
    throw new WeftError('STATE_FILE_INVALID', `${file} is for trust domain ${domain}, not for ${trustDomain}`)
  }
}
