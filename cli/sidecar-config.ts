/** A sidecar's pages /config and /clusters, as far as commands read them. */

type NamedMatch = {
  readonly name: string
  readonly match: { readonly kind: string; readonly value?: string }
}

export type SidecarRule = {
  readonly name: string
  readonly match: {
    readonly path: { readonly kind: string; readonly value: string }
    readonly headers?: readonly NamedMatch[]
    readonly query?: readonly NamedMatch[]
  }
  readonly action: {
    readonly kind: string
    readonly clusters?: readonly { readonly cluster: string; readonly weight: number }[]
  }
  readonly timeoutMs?: number
}

export type SidecarConfig = {
  readonly identity: {
    readonly principal: string
    readonly notAfter: string
    readonly trustBundle: string
  } | null
  readonly inbound: readonly {
    readonly listen?: { readonly host: string; readonly port: number }
    readonly applicationPort: number
    readonly protocol: string
  }[]
  readonly destinations: Readonly<
    Record<
      string,
      {
        readonly state: string
        readonly hosts: readonly {
          readonly domains: readonly string[]
          readonly rules: readonly SidecarRule[]
        }[]
        readonly tcp?: unknown
      }
    >
  >
  readonly resources: readonly { readonly kind: string; readonly name: string; readonly version: string }[]
}

export type SidecarCluster = {
  readonly name: string
  readonly balancer: string
  readonly panicking: boolean
  readonly endpoints: readonly {
    readonly address: string
    readonly meshed: boolean
    readonly identity?: string
    readonly state: string
    readonly weight: number
    readonly zone: string
    readonly inFlight: number
    readonly latencyMs: number
  }[]
}
