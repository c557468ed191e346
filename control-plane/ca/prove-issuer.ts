/**
 * Tries an issuer before it is used: a certificate of it, shown in both directions of a handshake that never leaves this
 * process. OpenSSL, which is what peers ask, knows of every way to sign in vain (path length, name constraints, usages
 * that are not passed on, weak digests), and an issuer that nobody takes would end the mesh with the next renewals.
 */
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { duplexPair } from 'node:stream'
import { connect, createServer } from 'node:tls'
import { formatSpiffeId } from '../../api/spiffe.ts'
import { splitPem } from '../../api/trust-bundle.ts'
import { systemCodeOf, reasonOf } from '../../core/errors.ts'
import { type LeafSigner, makeLeaf } from './leaf-certificate.ts'

/** No byte has far to go; a handshake that hangs would keep us from starting. */
const handshakeTimeoutMs = 5_000
/** The wall clock that OpenSSL reads may be another than ours; ours is asked elsewhere. */
const ofTime: ReadonlySet<string> = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])

export type IssuerToProve = {
  readonly signer: LeafSigner
  readonly chainPem: readonly string[]
  readonly rootPem: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/** Why peers that trust `rootsPem` would not take what it signs; undefined: they would. */
export async function whyRefused(
  issuer: IssuerToProve,
  rootsPem: string,
  trustDomain: string,
): Promise<string | undefined> {
  const { signer, chainPem, rootPem, notBeforeMs, notAfterMs } = issuer
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const spiffeId = formatSpiffeId({ trustDomain, namespace: 'weft', serviceAccount: 'probe' })
  const { pem } = makeLeaf(signer, { spki, spiffeId, notBeforeMs, notAfterMs })
  const between = chainPem.filter((certificate) => certificate !== rootPem)
  const mistaken = mistakenRoot(new X509Certificate(between.at(-1) ?? pem), rootsPem)
  if (mistaken !== undefined)
    return `another root has the name ${JSON.stringify(mistaken.subject)}, too, and no key id tells them apart`
  const reason = await handshake({
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    cert: [pem, ...between].join(''),
    ca: rootPem,
  })
  return reason === undefined || ofTime.has(reason) ? undefined : reason
}

/** One that peers would take for the root of `last`, which another one signed: they look for it by name and key id. */
function mistakenRoot(last: X509Certificate, rootsPem: string): X509Certificate | undefined {
  return splitPem(rootsPem)
    .map((pem) => new X509Certificate(pem))
    .find((root) => last.checkIssued(root) && !last.verify(root.publicKey))
}

type Material = { readonly key: string; readonly cert: string; readonly ca: string }

async function handshake(material: Material): Promise<string | undefined> {
  const [ours, theirs] = duplexPair()
  const server = createServer({ ...material, requestCert: true, handshakeTimeout: handshakeTimeoutMs })
  const client = connect({ ...material, socket: ours, checkServerIdentity: () => undefined })
  try {
    return await new Promise<string | undefined>((resolve) => {
      // A client believes to be connected before the server has looked at its certificate: the server has the last word.
      server.once('secureConnection', () => resolve(undefined))
      server.once('tlsClientError', (error, socket) => resolve(reasonFor(socket.authorizationError ?? error)))
      client.on('error', (error) => resolve(reasonFor(error)))
      server.emit('connection', theirs)
    })
  } finally {
    client.destroy()
    theirs.destroy()
  }
}

function reasonFor(error: unknown): string {
  if (typeof error === 'string') return error
  const code = systemCodeOf(error)
  return code === undefined || code === 'UNSPECIFIED' ? reasonOf(error) : code
}
