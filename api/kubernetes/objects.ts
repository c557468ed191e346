/** The Kubernetes objects that we read, as far as we read them. */

export type ObjectMeta = {
  readonly name: string
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly creationTimestamp?: string
  readonly generation?: number
  readonly resourceVersion?: string
  readonly uid?: string
}

type KubernetesObject<Version extends string, Kind extends string> = {
  readonly apiVersion: Version
  readonly kind: Kind
  readonly metadata: ObjectMeta
}

export type Namespace = KubernetesObject<'v1', 'Namespace'>
export type ServiceAccount = KubernetesObject<'v1', 'ServiceAccount'>

export type ServicePort = {
  readonly name?: string
  readonly port: number
  readonly targetPort?: number | string
  readonly protocol?: string
  readonly appProtocol?: string
}
export type Service = KubernetesObject<'v1', 'Service'> & {
  readonly spec?: {
    readonly type?: string
    readonly clusterIP?: string
    readonly clusterIPs?: readonly string[]
    readonly externalName?: string
    readonly selector?: Readonly<Record<string, string>>
    readonly ports?: readonly ServicePort[]
  }
}

export type ContainerPort = {
  readonly name?: string
  readonly containerPort: number
  readonly protocol?: string
}
export type Pod = KubernetesObject<'v1', 'Pod'> & {
  readonly spec?: {
    readonly serviceAccountName?: string
    readonly nodeName?: string
    readonly containers?: readonly { readonly name: string; readonly ports?: readonly ContainerPort[] }[]
  }
  readonly status?: {
    readonly podIP?: string
    readonly podIPs?: readonly { readonly ip: string }[]
    readonly phase?: string
  }
}

export type EndpointSlice = KubernetesObject<'discovery.k8s.io/v1', 'EndpointSlice'> & {
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN'
  readonly endpoints?: readonly {
    readonly addresses: readonly string[]
    readonly conditions?: {
      readonly ready?: boolean
      readonly serving?: boolean
      readonly terminating?: boolean
    }
    readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly namespace?: string }
    readonly nodeName?: string
    readonly zone?: string
    readonly hints?: { readonly forZones?: readonly { readonly name: string }[] }
  }[]
  readonly ports?: readonly {
    readonly name?: string
    readonly port?: number
    readonly protocol?: string
    readonly appProtocol?: string
  }[]
}

export type TrafficSplitVersion = 'v1alpha1' | 'v1alpha2' | 'v1alpha3' | 'v1alpha4'
/** `weight` is a Quantity in v1alpha1 (`500m`, `1`) and a whole number from v1alpha2 on. */
export type TrafficSplit = KubernetesObject<`split.smi-spec.io/${TrafficSplitVersion}`, 'TrafficSplit'> & {
  readonly spec: {
    readonly service: string
    readonly backends: readonly { readonly service: string; readonly weight: number | string }[]
    readonly matches?: readonly { readonly kind: string; readonly name: string; readonly apiGroup?: string }[]
  }
}
