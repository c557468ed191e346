/** What a mesh trusts and who signs for it, at one phase of a rotation. Never changed, only replaced. */
import { X509Certificate } from 'node:crypto'
import type { RotationPhase, RotationState } from '../../api/rotation.ts'
import { splitPem, versionOfPem } from '../../api/trust-bundle.ts'
import type { Clock } from '../../core/clock.ts'
import { WeftError } from '../../core/errors.ts'
import { type Issuer, type IssuerNames, type IssuerPem, loadIssuer } from './issuer.ts'
import { makeRoot } from './root.ts'

/** As it is kept. At most one of `next` and `previousPem` is there. */
export type TrustPem = {
  readonly issuer: IssuerPem
  /** Trusted already, and issues in the next phase. */
  readonly next?: IssuerPem
  /** The root before; trusted still, issues no more. */
  readonly previousPem?: string
  /** The bundle of a mesh whose issuer is not weft's own. */
  readonly bundlePem?: string
  /** Workloads get their certificates from somebody else; the issuer signs for the control plane itself only. */
  readonly external?: boolean
}

export type Trust = RotationState & {
  readonly issuer: Issuer
  /** What workloads are verified against: the root that issues first. */
  readonly bundlePem: string
  /** What the control plane itself is verified against; the bundle, and its own root where that is another. */
  readonly controlPlanePem: string
  readonly issuesToWorkloads: boolean
}

export function phaseOf({ next, previousPem }: TrustPem): RotationPhase {
  if (next !== undefined) return 'new-trusted'
  return previousPem === undefined ? 'steady' : 'new-issues'
}

/** Throws STATE_FILE_INVALID or CA_EXPIRED. `where` is how what is kept is called in errors. */
export async function loadTrust(
  pem: TrustPem,
  options: { readonly names: IssuerNames; readonly trustDomain: string; readonly clock: Clock },
): Promise<Trust> {
  const own = [pem.issuer.certificatePem, pem.next?.certificatePem ?? '', pem.previousPem ?? ''].join('\n')
  const external = pem.external === true
  const issuer = await loadIssuer(pem.issuer, {
    ...options,
    rootsPem: external ? own : (pem.bundlePem ?? own),
  })
  const roots = rootsOf(pem.bundlePem ?? own, options.names.certificate)
  const first = external ? [] : [issuer.rootPem]
  const bundle = unique([...first, ...roots])
  return {
    phase: phaseOf(pem),
    bundle: versionOfPem(bundle.join('')),
    issuingRoot: external ? '' : issuer.rootFingerprint,
    issuer,
    bundlePem: bundle.join(''),
    controlPlanePem: unique([issuer.rootPem, ...bundle]).join(''),
    issuesToWorkloads: !external,
  }
}

/** What is to be kept in the next phase. */
export async function nextTrust(pem: TrustPem, trustDomain: string, clock: Clock): Promise<TrustPem> {
  if (pem.next !== undefined) return { issuer: pem.next, previousPem: pem.issuer.certificatePem }
  if (pem.previousPem !== undefined) return { issuer: pem.issuer }
  return { issuer: pem.issuer, next: await makeRoot(trustDomain, clock) }
}

function rootsOf(pem: string, name: string): readonly string[] {
  return splitPem(pem).map((part) => {
    const certificate = new X509Certificate(part)
    if (!certificate.ca) throw new WeftError('STATE_FILE_INVALID', `${name}: ${certificate.subject} is no CA`)
    return certificate.toString()
  })
}

function unique(certificates: readonly string[]): readonly string[] {
  return [...new Set(certificates)]
}
