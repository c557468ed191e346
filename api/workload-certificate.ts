/** Whose certificate it is that a workload has shown (X509-SVID). That it is signed by whom we trust is checked elsewhere. */
import type { Buffer } from 'node:buffer'
import { type CertificateFacts, readCertificateFacts } from '../core/certificate-facts.ts'
import { WeftError } from '../core/errors.ts'
import { parseSpiffeId, type SpiffeId } from './spiffe.ts'

export type WorkloadCertificate = {
  readonly facts: CertificateFacts
  readonly id: SpiffeId
  /** The id as it is written in the certificate. */
  readonly principal: string
}

const longestQuote = 200

/**
 * Reads a leaf in DER: exactly one URI name, which is an identity of `trustDomain`, and no CA. Throws
 * CERTIFICATE_INVALID, PEER_IDENTITY_INVALID or PEER_TRUST_DOMAIN_MISMATCH.
 */
export function readWorkloadCertificate(der: Buffer, trustDomain: string): WorkloadCertificate {
  const facts = readCertificateFacts(der)
  const [uri, ...others] = facts.uris
  if (uri === undefined || others.length > 0)
    throw new WeftError('PEER_IDENTITY_INVALID', `the certificate has ${facts.uris.length} URI names`)
  if (facts.isCa) throw new WeftError('PEER_IDENTITY_INVALID', 'the certificate is that of a CA')
  const id = parseSpiffeId(uri)
  if (id === undefined)
    throw new WeftError('PEER_IDENTITY_INVALID', `"${uri.slice(0, longestQuote)}" is not an identity`)
  if (id.trustDomain !== trustDomain)
    throw new WeftError('PEER_TRUST_DOMAIN_MISMATCH', `${uri} is not of ${trustDomain}`)
  return { facts, id, principal: uri }
}

/** Throws CERTIFICATE_EXPIRED or CERTIFICATE_NOT_YET_VALID: a session that is resumed is not asked for its time. */
export function checkTime({ facts, principal }: WorkloadCertificate, nowMs: number): void {
  if (nowMs >= facts.notAfterMs) throw new WeftError('CERTIFICATE_EXPIRED', `the certificate of ${principal}`)
  if (nowMs < facts.notBeforeMs)
    throw new WeftError('CERTIFICATE_NOT_YET_VALID', `the certificate of ${principal}`)
}
