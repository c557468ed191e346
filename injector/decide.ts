/** Whether a pod gets a sidecar, and if not, why. Pure. */
import { initContainerName, proxyContainerName } from '../api/deployment.ts'
import { annotations, injectedAnnotations } from '../api/annotations.ts'
import { type Container, containersOf, identityVolumeName, type Pod, stateVolumeName } from './pod.ts'

type StringMap = Readonly<Record<string, string>>
export type NamespaceMetadata = { readonly annotations: StringMap; readonly labels: StringMap }

export type Decision =
  | { readonly kind: 'inject' }
  /** The pod is as well off without. `warn`: whoever made it may have expected otherwise, and is told. */
  | { readonly kind: 'skip'; readonly reason: string; readonly warn: boolean }
  /** It would have to have one, and cannot: it would bypass the mesh, or loop. */
  | { readonly kind: 'refuse'; readonly reason: string }

type Wish = boolean | undefined | { readonly wrong: string }

function wishOf(what: string, maps: readonly StringMap[]): Wish {
  for (const map of maps) {
    const value = Object.hasOwn(map, annotations.inject) ? map[annotations.inject] : undefined
    if (value === 'enabled') return true
    if (value === 'disabled') return false
    if (value !== undefined)
      return { wrong: `${annotations.inject} of the ${what} is '${value}', not 'enabled' or 'disabled'` }
  }
  return undefined
}

/** The pod wins over its namespace, the annotation over the label. */
export function injectionWish(pod: Pod, namespace: NamespaceMetadata): Wish {
  const { metadata } = pod
  const own = wishOf('pod', [metadata?.annotations ?? {}, metadata?.labels ?? {}])
  return own ?? wishOf('namespace', [namespace.annotations, namespace.labels])
}

/** Whether the pod says so itself; its namespace then need not be known. */
export function decidesItself(pod: Pod): boolean {
  return injectionWish(pod, { annotations: {}, labels: {} }) === false
}

export function isInjected({ spec }: Pod): boolean {
  return containersOf(spec).some(({ name }) => name === proxyContainerName)
}

/**
 * Whether it has our sidecar and not what that is to trust: `kubectl debug --copy-to` copies containers and volumes, and no
 * annotations.
 */
export function isBareCopy(pod: Pod): boolean {
  return (
    isInjected(pod) &&
    pod.spec.volumes?.some(({ name }) => name === identityVolumeName) === true &&
    pod.metadata?.annotations?.[injectedAnnotations.trustBundle] === undefined
  )
}

function isWindows({ spec }: Pod): boolean {
  return spec.os?.name === 'windows' || spec.nodeSelector?.['kubernetes.io/os'] === 'windows'
}

function runsAs(container: Container, { spec }: Pod): number | undefined {
  return container.securityContext?.runAsUser ?? spec.securityContext?.runAsUser ?? undefined
}

export type SidecarFacts = { readonly proxyUid: number; readonly ports: readonly number[] }

function refusal(pod: Pod, { proxyUid, ports }: SidecarFacts): string | undefined {
  for (const container of containersOf(pod.spec)) {
    if (runsAs(container, pod) === proxyUid)
      return `container '${container.name}' runs as user ${proxyUid}, which is the sidecar's: its connections would bypass the mesh; let it run as another user, or set config.weft.dev/proxy-uid`
    if (container.name === initContainerName)
      return `container '${container.name}' has the name of one of the sidecar's`
    const taken = container.ports?.find(
      ({ containerPort, protocol }) => ports.includes(containerPort) && (protocol ?? 'TCP') === 'TCP',
    )
    if (taken !== undefined)
      return `container '${container.name}' uses port ${taken.containerPort}, which is the sidecar's: move the sidecar with config.weft.dev/inbound-port, outbound-port or admin-port`
  }
  const volume = pod.spec.volumes?.find(({ name }) => name === identityVolumeName || name === stateVolumeName)
  return volume === undefined ? undefined : `volume '${volume.name}' has the name of one of the sidecar's`
}

/** Whether injection is asked for and possible at all, whatever the sidecar's settings. */
export function decide(pod: Pod, namespace: NamespaceMetadata): Decision {
  const skip = (reason: string, warn: boolean) => ({ kind: 'skip', reason, warn }) as const
  if (isInjected(pod)) return skip('it has a sidecar already', false)
  const wish = injectionWish(pod, namespace)
  if (typeof wish === 'object') return { kind: 'refuse', reason: wish.wrong }
  if (wish === undefined) return skip(`${annotations.inject} is not set`, false)
  if (!wish) return skip(`${annotations.inject} is 'disabled'`, false)
  if (pod.spec.hostNetwork === true)
    return skip("it uses the node's network, whose connections are not to be redirected", true)
  if (isWindows(pod)) return skip('it runs on Windows', true)
  if (pod.metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined)
    return skip('it is a static pod, which the kubelet alone changes', true)
  return { kind: 'inject' }
}

/** The second half, when the settings are known: what the sidecar needs for itself must be free. */
export function decideOnSidecar(pod: Pod, facts: SidecarFacts): Decision {
  const reason = refusal(pod, facts)
  return reason === undefined ? { kind: 'inject' } : { kind: 'refuse', reason }
}
