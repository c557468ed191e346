/** A cluster and its endpoints, as data: decoded from CDS and EDS. */

export type BalancerKind = 'p2c-ewma' | 'round-robin' | 'random'

/** The cluster name a route uses for a backend that does not exist: its share of requests gets 500. */
export const invalidBackendCluster = 'weft:invalid-backend'

export type ClusterConfig = {
  readonly name: string
  readonly connectTimeoutMs: number
  readonly balancer: BalancerKind
  /** Metric labels of the destination (dst_service, dst_namespace ...); bounded by configuration, never by a request. */
  readonly labels: Readonly<Record<string, string>>
  /** Whether every endpoint must be reached over mesh mTLS, only those marked so, or none. */
  readonly tls: 'always' | 'per-endpoint' | 'never'
  /** Principals that an endpoint may show when it names none itself; empty: any of the trust domain. */
  readonly identities: readonly string[]
  /** How idle connections towards the endpoints are kept. */
  readonly idleTimeoutMs: number
}

export type EndpointConfig = {
  readonly address: string
  readonly port: number
  readonly weight: number
  readonly zone: string
  /** Reached over mesh mTLS. */
  readonly meshed: boolean
  /** The SPIFFE id that the endpoint must show; undefined for unmeshed ones. */
  readonly identity: string | undefined
  /** Metric labels (dst_pod, dst_deployment, dst_pod_template_hash ...). */
  readonly labels: Readonly<Record<string, string>>
}

/** One port of the inbound side. `listen` is undefined in redirected mode, where 4143 serves all ports. */
export type InboundPort = {
  readonly listen: { readonly host: string; readonly port: number } | undefined
  readonly applicationHost: string
  readonly applicationPort: number
  readonly protocol: 'detect' | 'opaque'
}

export type InboundConfig = {
  readonly mtls: 'permissive' | 'strict'
  readonly ports: readonly InboundPort[]
}
