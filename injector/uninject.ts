/** A pod with a sidecar -> the pod without. Pure. */
import { initContainerName, proxyContainerName } from '../api/deployment.ts'
import { annotations, injectedAnnotations, injectedLabel } from '../api/annotations.ts'
import { type ApplicationProbes, hookFields, probeFields, probePath } from '../api/application-probe.ts'
import {
  type Container,
  containersOf,
  type Handler,
  identityVolumeName,
  type Pod,
  type PodSpec,
  stateVolumeName,
} from './pod.ts'
import { originalHandler } from './rewrite-probes.ts'

const addedContainers: readonly string[] = [proxyContainerName, initContainerName]
const addedVolumes: readonly string[] = [identityVolumeName, stateVolumeName]

type StringMap = Readonly<Record<string, string>>

/** A list or map that injection had to make is gone with its last entry. */
function without<T extends object>(object: T, field: string, kept: readonly unknown[] | StringMap): T {
  const { [field]: _, ...rest } = object as Readonly<Record<string, unknown>>
  const isEmpty = Object.keys(kept).length === 0
  return (isEmpty ? rest : { ...object, [field]: kept }) as T
}

/** What the sidecar was told to ask, as `injector/proxy-container.ts` wrote it. */
function probesOf(spec: PodSpec): ApplicationProbes {
  const proxy = containersOf(spec).find(({ name }) => name === proxyContainerName)
  const environment = (proxy?.['env'] ?? []) as readonly { readonly name: string; readonly value?: string }[]
  const text = environment.find(({ name }) => name === 'WEFT_PROBES')?.value
  return text === undefined ? {} : (JSON.parse(text.replaceAll('$$', '$')) as ApplicationProbes)
}

function restored(container: Container, probes: ApplicationProbes): Container {
  const restore = <T extends Handler>(handler: T, path: string): T => {
    const original = probes[path]
    if (original === undefined) return handler
    const { httpGet: _, ...rest } = handler
    return { ...rest, ...originalHandler(original) } as unknown as T
  }
  const changed: { -readonly [K in keyof Container]: Container[K] } = { ...container }
  for (const field of probeFields) {
    const probe = container[field]
    if (probe != null) changed[field] = restore(probe, probePath(container.name, field))
  }
  const { lifecycle } = container
  if (lifecycle != null) {
    const hooks = { ...lifecycle } as Record<string, unknown>
    for (const field of hookFields) {
      const hook = lifecycle[field]
      if (hook != null) hooks[field] = restore(hook, probePath(container.name, field))
    }
    changed.lifecycle = hooks as NonNullable<Container['lifecycle']>
  }
  return changed
}

function withoutMetadata(pod: Pod): Pod {
  const { metadata } = pod
  if (metadata == null) return pod
  const own = (map: StringMap, names: readonly string[]): StringMap =>
    Object.fromEntries(Object.entries(map).filter(([name]) => !names.includes(name)))
  const labels = own(metadata.labels ?? {}, [injectedLabel, annotations.inject])
  const kept = own(metadata.annotations ?? {}, [annotations.inject, ...Object.values(injectedAnnotations)])
  const { 'kubectl.kubernetes.io/default-container': first, ...others } = kept
  const isOurs = first === pod.spec.containers.find(({ name }) => name !== proxyContainerName)?.name
  const cleaned = without(without(metadata, 'labels', labels), 'annotations', isOurs ? others : kept)
  return Object.keys(cleaned).length === 0
    ? (without(pod, 'metadata', []) as Pod)
    : { ...pod, metadata: cleaned }
}

/** Takes out what `inject` put in, asks of the namespace included; a pod without a sidecar comes back as it is. */
export function uninject(pod: Pod): Pod {
  const { spec } = pod
  if (!containersOf(spec).some(({ name }) => addedContainers.includes(name))) return pod
  const probes = probesOf(spec)
  const own = (list: readonly Container[]): readonly Container[] =>
    list.filter(({ name }) => !addedContainers.includes(name)).map((container) => restored(container, probes))
  const volumes = (spec.volumes ?? []).filter(({ name }) => !addedVolumes.includes(name))
  const cleaned: PodSpec = { ...spec, containers: own(spec.containers) }
  const withInit = without(cleaned, 'initContainers', own(spec.initContainers ?? []))
  return withoutMetadata({ ...pod, spec: without(withInit, 'volumes', volumes) })
}
