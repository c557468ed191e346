/** The parts of a Pod that a kubelet needs, as the API server gives them. */
export type Handler = {
  readonly httpGet?: {
    readonly path?: string
    readonly port: number | string
    readonly host?: string
  }
  readonly tcpSocket?: { readonly port: number | string }
  readonly grpc?: { readonly port: number }
  readonly exec?: { readonly command: readonly string[] }
}

export type Container = {
  readonly name: string
  readonly image: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env?: readonly {
    readonly name: string
    readonly value?: string
    readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string } }
  }[]
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[]
  readonly volumeMounts?: readonly {
    readonly name: string
    readonly mountPath: string
    readonly readOnly?: boolean
  }[]
  readonly restartPolicy?: string
  readonly startupProbe?: Handler
  readonly readinessProbe?: Handler
  readonly livenessProbe?: Handler
  readonly securityContext?: {
    readonly runAsUser?: number
    readonly runAsGroup?: number
    readonly readOnlyRootFilesystem?: boolean
    readonly allowPrivilegeEscalation?: boolean
    readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] }
  }
}

export type KeyPath = { readonly key: string; readonly path: string }
export type FieldPath = { readonly path: string; readonly fieldRef: { readonly fieldPath: string } }

export type VolumeSource = {
  readonly configMap?: { readonly name: string; readonly items?: readonly KeyPath[] }
  readonly downwardAPI?: { readonly items: readonly FieldPath[] }
  readonly serviceAccountToken?: {
    readonly audience?: string
    readonly expirationSeconds?: number
    readonly path: string
  }
}

export type Volume = VolumeSource & {
  readonly name: string
  readonly projected?: { readonly sources: readonly VolumeSource[] }
}

export type Pod = {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly uid: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
  }
  readonly spec: {
    readonly nodeName?: string
    readonly hostname?: string
    readonly serviceAccountName?: string
    readonly restartPolicy?: string
    readonly initContainers?: readonly Container[]
    readonly containers: readonly Container[]
    readonly volumes?: readonly Volume[]
    readonly securityContext?: {
      readonly runAsUser?: number
      readonly runAsGroup?: number
      readonly fsGroup?: number
    }
  }
  readonly status?: {
    readonly phase?: string
    readonly podIP?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}
