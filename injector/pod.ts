/** The parts of a Pod, or of a template of Pods, that injection reads and changes; all others are kept as they are. */
import type { HttpHandler } from '../api/application-probe.ts'

type Rest = { readonly [field: string]: unknown }
/** Kubernetes takes null for a field that is not there. */
type Maybe<T> = T | null | undefined
type StringMap = Readonly<Record<string, string>>

export type Handler = Rest & {
  readonly httpGet?: Maybe<Rest & HttpHandler & { readonly host?: Maybe<string> }>
  readonly tcpSocket?: Maybe<Rest & { readonly port: number | string; readonly host?: Maybe<string> }>
  readonly grpc?: Maybe<Rest & { readonly port: number; readonly service?: Maybe<string> }>
}
export type Probe = Handler & { readonly timeoutSeconds?: Maybe<number> }

export type Container = Rest & {
  readonly name: string
  readonly ports?: Maybe<
    readonly (Rest & {
      readonly name?: Maybe<string>
      readonly containerPort: number
      readonly protocol?: Maybe<string>
    })[]
  >
  readonly startupProbe?: Maybe<Probe>
  readonly livenessProbe?: Maybe<Probe>
  readonly readinessProbe?: Maybe<Probe>
  readonly lifecycle?: Maybe<
    Rest & { readonly postStart?: Maybe<Handler>; readonly preStop?: Maybe<Handler> }
  >
  readonly securityContext?: Maybe<Rest & { readonly runAsUser?: Maybe<number> }>
  readonly restartPolicy?: Maybe<string>
}

export type OwnerReference = Rest & { readonly kind: string; readonly name: string }

export type Metadata = Rest & {
  readonly name?: Maybe<string>
  readonly generateName?: Maybe<string>
  readonly namespace?: Maybe<string>
  readonly labels?: Maybe<StringMap>
  readonly annotations?: Maybe<StringMap>
  readonly ownerReferences?: Maybe<readonly OwnerReference[]>
}

export type PodSpec = Rest & {
  readonly containers: readonly Container[]
  readonly initContainers?: Maybe<readonly Container[]>
  readonly volumes?: Maybe<readonly (Rest & { readonly name: string })[]>
  readonly hostNetwork?: Maybe<boolean>
  readonly restartPolicy?: Maybe<string>
  readonly nodeSelector?: Maybe<StringMap>
  readonly os?: Maybe<{ readonly name?: string }>
  /** Of all containers together. */
  readonly resources?: Maybe<
    Rest & { readonly requests?: Maybe<StringMap>; readonly limits?: Maybe<StringMap> }
  >
  readonly securityContext?: Maybe<Rest & { readonly runAsUser?: Maybe<number> }>
}

export type Pod = Rest & { readonly metadata?: Maybe<Metadata>; readonly spec: PodSpec }

/** Names of what injection adds to a pod, beside the sidecar's container itself. */
export const identityVolumeName = 'weft-identity'
export const stateVolumeName = 'weft-state'

/** All that run in a pod, in the order in which they start. */
export function containersOf({ initContainers, containers }: PodSpec): readonly Container[] {
  return [...(initContainers ?? []), ...containers]
}
