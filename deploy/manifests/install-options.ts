/** What `weft install` may be told. */
export type InstallOptions = {
  readonly image: string
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never'
  readonly trustDomain: string
  readonly interception: 'init' | 'cni'
  /** Three replicas of everything, spread over nodes; no pod of the mesh is made without its sidecar. */
  readonly ha: boolean
  /** The Secret in weft's namespace with the user's own issuer; undefined: weft makes a root. */
  readonly issuerSecret?: string | undefined
}

/** An object of Kubernetes. */
export type Manifest = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}
