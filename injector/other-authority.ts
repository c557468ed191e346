/** A CA beside the control plane that certifies a pod: the one it names itself, or else that of the mesh. Pure. */
import { formatAddress } from '../core/address.ts'
import type { PodSettings } from './pod-settings.ts'
import type { SidecarPlan } from './sidecar-plan.ts'

export type OtherAuthority = {
  /** `host:port`, as pods reach it. */
  readonly address: string
  /** Of the token that it is shown. */
  readonly audience: string
}

/** What istiod and istio-csr ask for. */
const usualAudience = 'istio-ca'

/** undefined: the control plane certifies it. */
export function otherAuthority(plan: SidecarPlan, settings: PodSettings): OtherAuthority | undefined {
  const address = settings.certificateAuthority ?? plan.certificateAuthority
  if (address === undefined) return undefined
  const audience = settings.certificateAuthorityAudience ?? plan.certificateAuthorityAudience
  return { address: formatAddress(address), audience: audience ?? usualAudience }
}
