/** A pod as it is asked for -> the pod with its sidecar, or why it gets none. Pure; the webhook and `weft inject` share it. */
import type { ApplicationProbes } from '../api/application-probe.ts'
import { annotations, injectedAnnotations, injectedLabel } from '../api/annotations.ts'
import { tokenAudience } from '../api/token.ts'
import { version } from '../core/version.ts'
import { decide, decideOnSidecar, type Decision, isBareCopy, type NamespaceMetadata } from './decide.ts'
import { initContainer } from './init-container.ts'
import {
  type Container,
  identityVolumeName,
  type Metadata,
  type Pod,
  type PodSpec,
  stateVolumeName,
} from './pod.ts'
import { type OtherAuthority, otherAuthority } from './other-authority.ts'
import { interceptionAnnotations, type PodSettings, readPodSettings } from './pod-settings.ts'
import { authorityTokenFile, proxyContainer, tokenFile, trustBundleFile } from './proxy-container.ts'
import { rewriteProbes } from './rewrite-probes.ts'
import type { SidecarPlan } from './sidecar-plan.ts'
import type { Workload } from './workload.ts'

export type Injection =
  | { readonly kind: 'injected'; readonly pod: Pod; readonly warnings: readonly string[] }
  | Exclude<Decision, { readonly kind: 'inject' }>

/** The kubelet makes new ones well before the end. */
const tokenLifetimeSeconds = 3_600
const stateSizeLimit = '64Mi'

function token(audience: string, path: string): object {
  return { serviceAccountToken: { audience, expirationSeconds: tokenLifetimeSeconds, path } }
}

function volumes(
  authority: OtherAuthority | undefined,
): readonly { readonly name: string; readonly [field: string]: unknown }[] {
  const bundleField = `metadata.annotations['${injectedAnnotations.trustBundle}']`
  const sources = [
    token(tokenAudience, tokenFile),
    // Whoever it is shown to could use it elsewhere, were it the same.
    ...(authority === undefined ? [] : [token(authority.audience, authorityTokenFile)]),
    // From the pod itself: nothing has to be kept up to date in its namespace.
    { downwardAPI: { items: [{ path: trustBundleFile, fieldRef: { fieldPath: bundleField } }] } },
  ]
  return [
    { name: identityVolumeName, projected: { sources } },
    // In memory: it holds the sidecar's key.
    { name: stateVolumeName, emptyDir: { medium: 'Memory', sizeLimit: stateSizeLimit } },
  ]
}

function metadataOf(
  metadata: Metadata | null | undefined,
  plan: SidecarPlan,
  { containers }: PodSpec,
  forPlugin: Readonly<Record<string, string>>,
): Metadata {
  return {
    ...metadata,
    labels: { ...metadata?.labels, [injectedLabel]: 'true' },
    annotations: {
      // `kubectl exec` and `logs` without a name are meant for the application.
      'kubectl.kubernetes.io/default-container': (containers[0] as Container).name,
      // Whoever looks at the pod alone sees that it is of the mesh.
      [annotations.inject]: 'enabled',
      // A plugin is shown the pod alone, and so is the control plane when the namespace has changed since.
      ...forPlugin,
      ...metadata?.annotations,
      [injectedAnnotations.proxyVersion]: version,
      [injectedAnnotations.trustBundle]: plan.trustBundle,
    },
  }
}

/** Which probes go through the sidecar: not those of init containers that run before an ordinary one does. */
function rewritten(spec: PodSpec, settings: PodSettings): PodSpec & { readonly probes: ApplicationProbes } {
  const { rewriteProbes: wanted, nativeSidecar, adminPort } = settings
  let probes: ApplicationProbes = {}
  const each = (container: Container): Container => {
    const result = rewriteProbes(container, adminPort)
    probes = { ...probes, ...result.probes }
    return result.container
  }
  if (!wanted) return { ...spec, probes }
  const containers = spec.containers.map(each)
  if (!nativeSidecar || spec.initContainers == null) return { ...spec, containers, probes }
  return { ...spec, containers, initContainers: spec.initContainers.map(each), probes }
}

/** The pod with its sidecar, unconditionally. */
function withSidecar(
  pod: Pod,
  namespace: NamespaceMetadata,
  plan: SidecarPlan,
  settings: PodSettings,
  workload: Workload,
): Pod {
  const { probes, ...spec } = rewritten(pod.spec, settings)
  const proxy = proxyContainer(plan, settings, workload, probes)
  const byPlugin = (settings.interception ?? plan.interception) === 'cni'
  const init = byPlugin ? [] : [initContainer(plan, settings)]
  const own = spec.initContainers ?? []
  const { nativeSidecar } = settings
  // An ordinary sidecar does not run yet when init containers do: redirection comes after them, not to cut them off.
  const initContainers = nativeSidecar ? [...init, proxy, ...own] : [...own, ...init]
  return {
    ...pod,
    metadata: metadataOf(
      pod.metadata,
      plan,
      spec,
      byPlugin ? interceptionAnnotations(namespace.annotations) : {},
    ),
    spec: {
      ...spec,
      ...(initContainers.length === 0 ? {} : { initContainers }),
      // First, because the kubelet waits for its hook before it starts the next one.
      containers: nativeSidecar ? spec.containers : [proxy, ...spec.containers],
      volumes: [...(spec.volumes ?? []), ...volumes(otherAuthority(plan, settings))],
    },
  }
}

function warningsOf(pod: Pod, settings: PodSettings, unknown: readonly string[]): readonly string[] {
  const ends = pod.spec.restartPolicy === 'Never' || pod.spec.restartPolicy === 'OnFailure'
  return [
    ...unknown.map((name) => `annotation ${name} is not known to weft`),
    ...(ends && !settings.nativeSidecar
      ? [
          'the pod will not complete by itself: its sidecar is an ordinary container, which POST /shutdown on its admin port ends',
        ]
      : []),
  ]
}

/** Never throws. `workload` labels the sidecar's metrics. */
export function inject(
  pod: Pod,
  namespace: NamespaceMetadata,
  plan: SidecarPlan,
  workload: Workload,
): Injection {
  if (isBareCopy(pod)) {
    const metadata = metadataOf(pod.metadata, plan, pod.spec, {})
    return { kind: 'injected', pod: { ...pod, metadata }, warnings: [] }
  }
  const decision = decide(pod, namespace)
  if (decision.kind !== 'inject') return decision
  const { requests, limits } = pod.spec.resources ?? {}
  const ofPod = { requests: requests ?? {}, limits: limits ?? {} }
  const read = readPodSettings(namespace.annotations, pod.metadata?.annotations ?? {}, ofPod)
  if (!read.ok) return { kind: 'refuse', reason: read.problems.join('; ') }
  const { proxyUid, inboundPort, outboundPort, adminPort } = read.settings
  const further = decideOnSidecar(pod, { proxyUid, ports: [inboundPort, outboundPort, adminPort] })
  if (further.kind !== 'inject') return further
  return {
    kind: 'injected',
    pod: withSidecar(pod, namespace, plan, read.settings, workload),
    warnings: warningsOf(pod, read.settings, read.unknown),
  }
}
