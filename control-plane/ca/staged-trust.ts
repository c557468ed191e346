/**
 * A user's own issuer and bundle, taken into use in the order that breaks nothing, however they were replaced: the new
 * root is trusted before it issues, and the old one until no certificate of it is left. Pure.
 */
import { splitPem } from '../../api/trust-bundle.ts'
import { phaseOf, type TrustPem } from './trust.ts'

/** What is in force, with the root that its issuer leads to. */
export type InForce = { readonly pem: TrustPem; readonly rootPem: string }

/** The next step from what is in force to what is offered; `followed`: every sidecar is where the present step leads. */
export function stagedTrust(current: InForce, offered: InForce, followed: boolean): TrustPem {
  const { pem } = current
  if (offered.rootPem === current.rootPem)
    return withPrevious(offered.pem, followed ? undefined : pem.previousPem)
  const isTrusted =
    phaseOf(pem) === 'new-trusted' && pem.next?.certificatePem === offered.pem.issuer.certificatePem
  if (isTrusted && followed) return withPrevious(offered.pem, current.rootPem)
  return {
    issuer: pem.issuer,
    next: offered.pem.issuer,
    bundlePem: union(offered.pem.bundlePem, current.rootPem),
  }
}

function withPrevious(offered: TrustPem, previousPem: string | undefined): TrustPem {
  if (previousPem === undefined) return offered
  return { ...offered, previousPem, bundlePem: union(offered.bundlePem, previousPem) }
}

function union(bundlePem = '', rootPem: string): string {
  return [...new Set([...splitPem(bundlePem), ...splitPem(rootPem)])].join('')
}
