/** What the mesh consists of, whoever told us: no Kubernetes and no xDS in here. Keys are `namespace/name`. */
import type { InboundPolicy } from '../../api/annotations.ts'
import type { PortRange } from '../../core/port-ranges.ts'
import type { AccessPolicy, IdentityBinding, TrafficTarget } from './access-policy.ts'
import type { ReferenceGrant, Route } from './route.ts'
import type { TrafficSettings } from './traffic-settings.ts'

export type ServicePort = { readonly name: string; readonly port: number; readonly protocol: string }
export type Service = {
  readonly namespace: string
  readonly name: string
  readonly clusterIps: readonly string[]
  readonly ports: readonly ServicePort[]
  /** A name for something else: a host outside, or another Service. Undefined: it has endpoints. */
  readonly externalName?: string | undefined
  /** Of its own ports; undefined: as its namespace says. */
  readonly opaquePorts: readonly PortRange[] | undefined
  /** What its annotations say; a TrafficPolicy says more. */
  readonly traffic: TrafficSettings
}

export type SliceEndpoint = {
  readonly address: string
  /** Further addresses of the same endpoint, as good as the first. */
  readonly otherAddresses: readonly string[]
  readonly ready: boolean
  /** It terminates, but still answers: better than nobody. */
  readonly serving: boolean
  /** The workload behind it, when the source tells. */
  readonly workload: string | undefined
  readonly zone: string
  /** The zones whose clients it is meant for; empty: the source does not say. */
  readonly forZones: readonly string[]
}
/** Some of a service's endpoints; `ports` maps the names of the service's ports to numbers. */
export type EndpointSlice = {
  readonly service: string
  readonly ports: readonly { readonly name: string; readonly port: number }[]
  readonly endpoints: readonly SliceEndpoint[]
}

/** Reached past a sidecar; undefined: not said. */
export type BypassedPorts = {
  readonly skipped?: readonly PortRange[] | undefined
  /** The sidecar's own pages. */
  readonly admin?: readonly PortRange[] | undefined
}

export type Namespace = {
  readonly name: string
  readonly inject: boolean | undefined
  /** For what says nothing itself; undefined: the default ones. */
  readonly opaquePorts: readonly PortRange[] | undefined
  /** For workloads that say nothing themselves. */
  readonly bypassedPorts: BypassedPorts
  readonly inboundPolicy: InboundPolicy | undefined
}

/** A machine that workloads run on. */
export type Node = { readonly name: string; readonly zone: string }

export type Workload = {
  readonly namespace: string
  readonly name: string
  /** Where it runs; undefined: nobody has said. */
  readonly node: string | undefined
  readonly serviceAccount: string
  readonly labels: Readonly<Record<string, string>>
  /** Its own, while it runs; empty where the source does not tell, or it shares those of its node. */
  readonly addresses: readonly string[]
  readonly inject: boolean | undefined
  /** Explicit inbound addresses; empty: connections are redirected. */
  readonly inbound: readonly {
    readonly host: string
    readonly port: number
    readonly applicationPort: number
  }[]
  readonly containerPorts: readonly number[]
  /** undefined: as its namespace says. */
  readonly opaquePorts: readonly PortRange[] | undefined
  /** What is not said is as its namespace says. */
  readonly bypassedPorts: BypassedPorts
  /** undefined: as its namespace says. */
  readonly inboundPolicy: InboundPolicy | undefined
  readonly deployment: string | undefined
  /** What else owns it, as `statefulset/redis`. */
  readonly owner: string | undefined
  readonly podTemplateHash: string | undefined
}

export type Split = {
  readonly namespace: string
  readonly name: string
  readonly apex: string
  /** In thousandths, so that Quantities like `500m` stay whole. */
  readonly backends: readonly { readonly service: string; readonly weightMilli: number }[]
  /** HTTPRouteGroups: only what one of their matches matches is split. Empty: everything is. */
  readonly matches: readonly string[]
  /** The oldest of several splits for one apex wins; undefined: the source does not tell. */
  readonly createdMs: number | undefined
}

export type TextMatch = { readonly name: string; readonly value: string; readonly regex: boolean }
export type RouteMatch = {
  readonly path: {
    readonly kind: 'exact' | 'prefix' | 'regex'
    readonly value: string
    /** Among regexes those with more come first; 0 if left out. */
    readonly rank?: number
  }
  readonly headers: readonly TextMatch[]
  readonly query: readonly TextMatch[]
  readonly method: string | undefined
}
export type TrafficPolicy = {
  readonly namespace: string
  readonly name: string
  /** Services of its own namespace; without a port, all of their ports. */
  readonly targets: readonly {
    readonly service: string
    readonly port: { readonly name: string } | { readonly number: number } | undefined
  }[]
  readonly settings: TrafficSettings
  readonly createdMs: number | undefined
}

/** SMI's HTTPRouteGroup: a request matches if one of these does. */
export type RouteGroup = {
  readonly namespace: string
  readonly name: string
  readonly matches: readonly {
    readonly name: string
    /** Anchored at the beginning of the path only; undefined: any path. */
    readonly pathRegex: string | undefined
    /** Empty: any. */
    readonly methods: readonly string[]
    /** All of them have to match, each the whole value. */
    readonly headers: readonly TextMatch[]
  }[]
}

/** SMI's TCPRoute; no ports: all of a Service's. */
export type TcpRoute = {
  readonly namespace: string
  readonly name: string
  readonly ports: readonly number[]
}

/** One object of one kind, replaced or (undefined) removed. */
export type Change =
  | { readonly kind: 'namespace'; readonly key: string; readonly value: Namespace | undefined }
  | { readonly kind: 'service'; readonly key: string; readonly value: Service | undefined }
  | { readonly kind: 'slice'; readonly key: string; readonly value: EndpointSlice | undefined }
  | { readonly kind: 'node'; readonly key: string; readonly value: Node | undefined }
  | { readonly kind: 'workload'; readonly key: string; readonly value: Workload | undefined }
  | { readonly kind: 'split'; readonly key: string; readonly value: Split | undefined }
  | { readonly kind: 'route'; readonly key: string; readonly value: Route | undefined }
  | { readonly kind: 'grpcRoute'; readonly key: string; readonly value: Route | undefined }
  | { readonly kind: 'grant'; readonly key: string; readonly value: ReferenceGrant | undefined }
  | { readonly kind: 'policy'; readonly key: string; readonly value: TrafficPolicy | undefined }
  | { readonly kind: 'routeGroup'; readonly key: string; readonly value: RouteGroup | undefined }
  | { readonly kind: 'tcpRoute'; readonly key: string; readonly value: TcpRoute | undefined }
  | { readonly kind: 'accessPolicy'; readonly key: string; readonly value: AccessPolicy | undefined }
  | { readonly kind: 'trafficTarget'; readonly key: string; readonly value: TrafficTarget | undefined }
  | { readonly kind: 'identityBinding'; readonly key: string; readonly value: IdentityBinding | undefined }
