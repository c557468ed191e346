/** What is done with AccessPolicies and TrafficTargets: the conditions that their status has to show. Pure. */
import { levelOf, verdictOf, type WorkloadPort } from './access.ts'
import type {
  AccessPolicy,
  AccessTarget,
  IdentityBinding,
  IdentityReference,
  TrafficTarget,
} from './access-policy.ts'
import { meshNamespace } from './access-set.ts'
import { binds, boundClients, strangeIds } from './identity-binding.ts'
import { keyOf, type MeshModel } from './mesh-model.ts'
import type { Workload } from './objects.ts'
import { clientsBoundBy, isAbout } from './traffic-target.ts'

/** The Gateway API's words. */
export type AccessCondition = {
  readonly type: 'Accepted' | 'ResolvedRefs'
  readonly status: 'True' | 'False'
  readonly reason:
    | 'Accepted'
    | 'ResolvedRefs'
    | 'TargetNotFound'
    | 'RefNotPermitted'
    | 'RouteNotFound'
    | 'IdentityNotFound'
    | 'UnsupportedValue'
  /** Empty where there is nothing to say. */
  readonly message: string
}

export type AccessReport = {
  readonly kind: 'AccessPolicy' | 'TrafficTarget'
  readonly namespace: string
  readonly name: string
  /** Whose clients it is about, as text. */
  readonly targets: readonly string[]
  readonly mtls: string
  readonly verdict: 'allow' | 'deny' | undefined
  /** How many rules do what. */
  readonly rules: Readonly<Record<'allow' | 'deny' | 'audit', number>>
  /** Pods that it is about. */
  readonly pods: number
  readonly conditions: readonly AccessCondition[]
}

const accepted: AccessCondition = { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' }
const resolved: AccessCondition = {
  type: 'ResolvedRefs',
  status: 'True',
  reason: 'ResolvedRefs',
  message: '',
}

function no(
  type: AccessCondition['type'],
  reason: AccessCondition['reason'],
  message: string,
): AccessCondition {
  return { type, status: 'False', reason, message }
}

function portText(port: Extract<AccessTarget, { kind: 'service' }>['port']): string {
  if (port === undefined) return ''
  return `:${'name' in port ? port.name : port.number}`
}

function targetText(target: AccessTarget, namespace: string): string {
  switch (target.kind) {
    case 'mesh':
      return 'the mesh'
    case 'namespace':
      return `namespace ${namespace}`
    case 'serviceAccount':
      return `ServiceAccount ${target.name}`
    case 'service':
      return `Service ${target.name}${portText(target.port)}`
    case 'pods':
      return `pods ${Object.entries(target.labels)
        .map(([name, value]) => `${name}=${value}`)
        .join(',')}`
  }
}

/** Why a target is nobody; undefined: it is somebody, or may become so. */
function troubleOf(model: MeshModel, { namespace }: AccessPolicy, target: AccessTarget): string | undefined {
  switch (target.kind) {
    case 'mesh':
    case 'namespace':
      return undefined
    case 'service': {
      const service = model.service(keyOf(namespace, target.name))
      if (service === undefined) return `there is no Service '${target.name}'`
      const { port } = target
      const found =
        port === undefined ||
        service.ports.some((one) => ('name' in port ? one.name === port.name : one.port === port.number))
      return found ? undefined : `Service '${target.name}' has no port ${portText(port).slice(1)}`
    }
    case 'serviceAccount':
      return model.workloadsIn(namespace).some(({ serviceAccount }) => serviceAccount === target.name)
        ? undefined
        : `no pod runs as ServiceAccount '${target.name}'`
    case 'pods':
      return model
        .workloadsIn(namespace)
        .some(({ labels }) => Object.entries(target.labels).every(([name, value]) => labels[name] === value))
        ? undefined
        : `no pod has the labels ${targetText(target, namespace).slice(5)}`
  }
}

export function accessPolicyConditions(model: MeshModel, policy: AccessPolicy): readonly AccessCondition[] {
  const troubles = policy.targets.flatMap((target) => troubleOf(model, policy, target) ?? [])
  if (troubles.length === 0) return [accepted]
  const elsewhere = troubles.length < policy.targets.length ? '; it counts for its other targets' : ''
  return [no('Accepted', 'TargetNotFound', troubles.join('; ') + elsewhere)]
}

function countOf({ rules }: AccessPolicy): AccessReport['rules'] {
  const counts = { allow: 0, deny: 0, audit: 0 }
  for (const { action } of rules) counts[action]++
  return counts
}

function mtlsText({ mtls, mtlsOfPorts }: AccessPolicy): string {
  const ports = mtlsOfPorts.map(({ port, mode }) => `${port}: ${mode}`)
  return [...(mtls === undefined ? [] : [mtls]), ...ports].join(', ')
}

/** Those that a policy is about on any of their ports. */
function podsOf(model: MeshModel, policy: AccessPolicy): readonly Workload[] {
  const ofMesh = policy.namespace === meshNamespace && policy.targets.some(({ kind }) => kind === 'mesh')
  const candidates = ofMesh ? [...model.allWorkloads()] : model.workloadsIn(policy.namespace)
  return candidates.filter((workload) => {
    const served = model.servedBy(keyOf(workload.namespace, workload.name))
    const ports: readonly (WorkloadPort | undefined)[] = [
      undefined,
      ...served.map(({ targetPort }) => ({ listen: targetPort, application: targetPort })),
    ]
    return ports.some((port) => levelOf(policy, workload, port, served) > 0)
  })
}

export function accessPolicyReport(model: MeshModel, policy: AccessPolicy): AccessReport {
  const { namespace, name, targets } = policy
  return {
    kind: 'AccessPolicy',
    namespace,
    name,
    targets: targets.map((target) => targetText(target, namespace)),
    mtls: mtlsText(policy),
    verdict: verdictOf(policy),
    rules: countOf(policy),
    pods: podsOf(model, policy).length,
    conditions: accessPolicyConditions(model, policy),
  }
}

const identityKinds: readonly string[] = ['ServiceAccount', 'IdentityBinding']

/** Whose clients a target is about, as text. */
function identityText({ kind, name }: IdentityReference): string {
  return `${kind} '${name}'`
}

function acceptedTarget(model: MeshModel, target: TrafficTarget): AccessCondition {
  const { destination, namespace } = target
  if (!identityKinds.includes(destination.kind))
    return no('Accepted', 'UnsupportedValue', `its destination is a ${destination.kind}; it is about nobody`)
  if (destination.namespace !== namespace)
    return no(
      'Accepted',
      'RefNotPermitted',
      `its destination is of namespace '${destination.namespace}', whose own targets say who may call it`,
    )
  if (model.workloadsIn(namespace).some((workload) => isAbout(model, target, workload))) return accepted
  if (destination.kind === 'ServiceAccount')
    return no('Accepted', 'TargetNotFound', `no pod runs as ServiceAccount '${destination.name}'`)
  const there = model.access.binding(destination) !== undefined
  return no(
    'Accepted',
    'TargetNotFound',
    there ? `${identityText(destination)} means no pod` : `there is no ${identityText(destination)}`,
  )
}

/** Why a source is nobody; undefined: it is somebody, or may become so. */
function sourceTrouble(model: MeshModel, source: IdentityReference): string | undefined {
  if (source.kind === 'ServiceAccount') return undefined
  if (source.kind !== 'IdentityBinding') return `${identityText(source)} is none that is known`
  const bound = clientsBoundBy(model, source)
  if (bound === undefined) return `there is no ${identityText(source)} in namespace '${source.namespace}'`
  return bound.sources.length === 0 ? `${identityText(source)} means no client` : undefined
}

function resolvedRefs(model: MeshModel, { namespace, rules, sources }: TrafficTarget): AccessCondition {
  const routes = rules.flatMap(({ kind, name, matches }) => {
    if (kind === 'UDPRoute') return [`UDPRoute '${name}': the mesh carries no UDP`]
    const key = keyOf(namespace, name)
    if (kind === 'TCPRoute')
      return model.tcpRoute(key) === undefined ? [`there is no TCPRoute '${name}'`] : []
    const group = model.routeGroup(key)
    if (group === undefined) return [`there is no HTTPRouteGroup '${name}'`]
    const missing = (matches ?? []).filter((match) => group.matches.every((one) => one.name !== match))
    return missing.map((match) => `HTTPRouteGroup '${name}' has no match '${match}'`)
  })
  if (routes.length > 0)
    return no('ResolvedRefs', 'RouteNotFound', `${routes.join('; ')}: nothing is allowed by it`)
  const troubles = sources.flatMap((source) => sourceTrouble(model, source) ?? [])
  if (troubles.length === 0) return resolved
  return no('ResolvedRefs', 'IdentityNotFound', `${troubles.join('; ')}: it is allowed nothing`)
}

export function identityBindingConditions(
  model: MeshModel,
  binding: IdentityBinding,
): readonly AccessCondition[] {
  const { trustDomain } = model.access
  const pods = model.workloadsIn(binding.namespace)
  const meansSome = pods.some((pod) => binds(binding, pod, trustDomain))
  const strange = strangeIds(binding, trustDomain).map(
    (id) => `${id} is nobody's of namespace '${binding.namespace}' in trust domain ${trustDomain}`,
  )
  const untold = boundClients(binding, pods, trustDomain).untold.map(
    (pod) => `pod '${pod}' shares its ServiceAccount with others and has no address of its own`,
  )
  const troubles = [...strange, ...untold]
  return [
    meansSome ? accepted : no('Accepted', 'TargetNotFound', 'it means no pod'),
    troubles.length === 0
      ? resolved
      : no('ResolvedRefs', 'IdentityNotFound', `${troubles.join('; ')}: no client is taken for it`),
  ]
}

export function trafficTargetConditions(model: MeshModel, target: TrafficTarget): readonly AccessCondition[] {
  return [acceptedTarget(model, target), resolvedRefs(model, target)]
}

export function trafficTargetReport(model: MeshModel, target: TrafficTarget): AccessReport {
  const { namespace, name, destination, port, rules } = target
  const pods = model.workloadsIn(namespace).filter((workload) => isAbout(model, target, workload))
  return {
    kind: 'TrafficTarget',
    namespace,
    name,
    targets: [`${destination.kind} ${destination.name}${port === undefined ? '' : `:${port}`}`],
    mtls: '',
    verdict: 'deny',
    rules: { allow: rules.length, deny: 0, audit: 0 },
    pods: pods.length,
    conditions: trafficTargetConditions(model, target),
  }
}
