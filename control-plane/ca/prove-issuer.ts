/**
 * Tries an issuer before it is used: a certificate of it, shown in both directions of a handshake that never leaves this
 * process. OpenSSL, which is what peers ask, knows of every way to sign in vain (path length, name constraints, usages
 * that are not passed on, weak digests), and an issuer that nobody takes would end the mesh with the next renewals.
 */
import { generateKeyPairSync } from 'node:crypto'
import { duplexPair } from 'node:stream'
import { connect, createServer } from 'node:tls'
import { formatSpiffeId } from '../../api/spiffe.ts'
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

/** Why peers would not take what it signs; undefined: they would. */
export async function whyRefused(issuer: IssuerToProve, trustDomain: string): Promise<string | undefined> {
  const { signer, chainPem, rootPem, notBeforeMs, notAfterMs } = issuer
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const spiffeId = formatSpiffeId({ trustDomain, namespace: 'weft', serviceAccount: 'probe' })
  const { pem } = makeLeaf(signer, { spki, spiffeId, notBeforeMs, notAfterMs })
  const between = chainPem.filter((certificate) => certificate !== rootPem)
  const reason = await handshake({
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    cert: [pem, ...between].join(''),
    ca: rootPem,
  })
  return reason === undefined || ofTime.has(reason) ? undefined : reason
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
