/** TLS by the files that a bootstrap names: read once, at start. */
import { X509Certificate, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type SecureContextOptions, type TLSSocket, createSecureContext } from 'node:tls'
import type { Clock } from '../../core/clock.ts'
import { WeftError, reasonOf } from '../../core/errors.ts'
import { readCertificateFacts } from '../../core/certificate-facts.ts'
import type { Identities, Identity } from '../identity/identity.ts'
import { TlsClient } from '../identity/tls-client.ts'
import { tlsFailure } from '../identity/tls-failure.ts'
import { TlsServer } from '../identity/tls-server.ts'
import type { PeerCheck, PeerRole, VerifiedPeer } from '../identity/verify-peer.ts'
import type { DownstreamTlsSettings, NameMatch, Pem, TlsSettings } from './decode-tls.ts'

/** Throws WeftError BOOTSTRAP_INVALID, naming the file. */
function readPem(pem: Pem): string {
  if ('text' in pem) return pem.text
  try {
    return readFileSync(pem.file, 'utf8')
  } catch (error) {
    throw new WeftError('BOOTSTRAP_INVALID', `${pem.file}: ${reasonOf(error)}`, { cause: error })
  }
}

function readOptional(pem: Pem | undefined): string {
  return pem === undefined ? '' : readPem(pem)
}

function checkedContext(options: SecureContextOptions): ReturnType<typeof createSecureContext> {
  try {
    return createSecureContext(options)
  } catch (error) {
    throw new WeftError('BOOTSTRAP_INVALID', `a TLS context is not usable: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

/** One identity that never changes. Throws WeftError BOOTSTRAP_INVALID when the files cannot be used. */
function staticIdentities(settings: TlsSettings): Identities {
  const certificatePem = readOptional(settings.certificate)
  const keyPem = readOptional(settings.key)
  const rootsPem = readOptional(settings.roots)
  const contextOptions: SecureContextOptions = {
    minVersion: settings.minVersion,
    maxVersion: settings.maxVersion,
    ...(certificatePem === '' ? {} : { cert: certificatePem, key: keyPem }),
    ...(rootsPem === '' ? {} : { ca: rootsPem }),
  }
  const secureContext = checkedContext(contextOptions)
  const leaf = certificatePem === '' ? undefined : new X509Certificate(certificatePem)
  const current: Identity = {
    principal: '',
    certificatePem,
    keyPem,
    notBeforeMs: leaf?.validFromDate.getTime() ?? 0,
    notAfterMs: leaf?.validToDate.getTime() ?? Number.POSITIVE_INFINITY,
    bundle: { pem: rootsPem, roots: [], version: '' },
    secureContext,
    contextOptions,
    ticketKeys: randomBytes(48),
  }
  return { current, onChange: () => () => undefined }
}

/** A peer may show any certificate of the roots whose URI names fit; without names to fit, any of the roots. */
class NamedPeerCheck implements PeerCheck {
  readonly #names: readonly NameMatch[]
  readonly #optional: boolean

  constructor(names: readonly NameMatch[], optional: boolean) {
    this.#names = names
    this.#optional = optional
  }

  verifyPeer(socket: TLSSocket, { role }: { readonly role: PeerRole }): VerifiedPeer {
    const certificate = socket.getPeerX509Certificate()
    if (certificate === undefined && this.#optional && role === 'client')
      return { principal: '', notAfterMs: Number.POSITIVE_INFINITY, fingerprint: '' }
    const peer = socket.remoteAddress ?? 'the peer'
    if (!socket.authorized || certificate === undefined)
      throw tlsFailure(new Error('the certificate is not authorized'), socket.authorizationError, peer)
    const { uris, notAfterMs } = readCertificateFacts(certificate.raw)
    if (this.#names.length > 0 && !uris.some((uri) => this.#fits(uri)))
      throw new WeftError('PEER_IDENTITY_MISMATCH', `${peer} shows ${uris.join(', ') || 'no URI name'}`)
    return { principal: uris[0] ?? '', notAfterMs, fingerprint: '' }
  }

  #fits(uri: string): boolean {
    return this.#names.some(({ kind, value }) => (kind === 'exact' ? uri === value : uri.startsWith(value)))
  }
}

/** Dials with what an UpstreamTlsContext says. Throws WeftError BOOTSTRAP_INVALID. */
export function staticTlsClient(settings: TlsSettings, clock: Clock): TlsClient {
  const verifier = new NamedPeerCheck(settings.peerNames, false)
  return new TlsClient({ identities: staticIdentities(settings), verifier, clock })
}

/** Accepts with what a DownstreamTlsContext says. Throws WeftError BOOTSTRAP_INVALID. */
export function staticTlsServer(settings: DownstreamTlsSettings): TlsServer {
  const required = settings.requireClientCertificate
  const optional = settings.roots === undefined ? 'none' : 'optional'
  return new TlsServer({
    identities: staticIdentities(settings),
    verifier: new NamedPeerCheck(settings.peerNames, !required),
    alpn: settings.alpn,
    clientCertificate: required ? 'required' : optional,
  })
}
