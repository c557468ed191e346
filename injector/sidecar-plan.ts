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
}
