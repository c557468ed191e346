import type { Address } from '../core/address.ts'

/** What all sidecars of a mesh have in common; given to the injector by its settings. */
export type SidecarPlan = {
  readonly image: string
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never'
  /** `host:port` of its gRPC server, as pods reach it. */
  readonly controlPlane: string
  /** PEM; what the control plane is trusted by. */
  readonly trustBundle: string
  readonly trustDomain: string
  /** Who redirects connections where a pod does not say. */
  readonly interception: 'init' | 'cni'
  /** The CA that certifies workloads where a pod does not name one; undefined: the control plane's own. */
  readonly certificateAuthority?: Address | undefined
  /** Of the token for it; undefined: the usual one. */
  readonly certificateAuthorityAudience?: string | undefined
}
