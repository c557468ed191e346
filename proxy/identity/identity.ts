/** Our own certificate at one moment, with the roots that peers are verified against. Never changed, only replaced. */
import { randomBytes } from 'node:crypto'
import { type SecureContext, type SecureContextOptions, createSecureContext } from 'node:tls'
import type { TrustBundle } from './trust-bundle.ts'

/** Key and chain, as enrolled or as kept on disk. */
export type KeyAndCertificate = {
  readonly keyPem: string
  /** Leaf first, intermediates after it, no root. */
  readonly certificatePem: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

export type Identity = {
  /** Our SPIFFE id. */
  readonly principal: string
  readonly certificatePem: string
  /** Not enumerable, so that printing or logging an identity does not show it. */
  readonly keyPem: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly bundle: TrustBundle
  /** For connections that we open. */
  readonly secureContext: SecureContext
  /** For the server, which makes its own context of them. */
  readonly contextOptions: SecureContextOptions
  /** Keys of the session tickets that we hand out: new with each bundle, so that no session outlives its roots. */
  readonly ticketKeys: Buffer
}

/** Where the current identity is had from. */
export interface Identities {
  readonly current: Identity | undefined
  /** Calls back on every replacement, until the function given back is called. */
  onChange(listener: (identity: Identity) => void): () => void
}

/** AES-128 first: as safe as needed for what a connection carries, and the cheapest per byte. */
const CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256'

/** Builds the snapshot and its client context. Throws if OpenSSL does not take the material. */
export function makeIdentity(
  principal: string,
  own: KeyAndCertificate,
  bundle: TrustBundle,
  previous: Identity | undefined,
): Identity {
  const contextOptions: SecureContextOptions = {
    key: own.keyPem,
    cert: own.certificatePem,
    ca: bundle.pem,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: CIPHERS,
  }
  const sameBundle = previous?.bundle.version === bundle.version
  const identity = {
    principal,
    certificatePem: own.certificatePem,
    notBeforeMs: own.notBeforeMs,
    notAfterMs: own.notAfterMs,
    bundle,
    secureContext: createSecureContext(contextOptions),
    ticketKeys: sameBundle && previous !== undefined ? previous.ticketKeys : randomBytes(48),
  }
  Object.defineProperties(identity, {
    keyPem: { value: own.keyPem },
    contextOptions: { value: contextOptions },
    ticketKeys: { enumerable: false },
    secureContext: { enumerable: false },
  })
  return Object.freeze(identity) as Identity
}
