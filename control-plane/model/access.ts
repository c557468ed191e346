/** Who may call a workload on one of its ports, out of everything that is said about it. Pure. */
import type { AccessPolicy, AccessRule, AccessTarget, MtlsMode } from './access-policy.ts'
import { meshNamespace } from './access-set.ts'
import type { MeshModel, ServedPort } from './mesh-model.ts'
import { keyOf } from './naming.ts'
import type { Workload } from './objects.ts'
import { targetRules } from './traffic-target.ts'

/** A port as clients dial it, and as the application has it; the two differ where a sidecar listens by itself. */
export type WorkloadPort = { readonly listen: number; readonly application: number }

export type PortAccess = {
  /** Who says that nothing in clear may pass; undefined: nobody. */
  readonly strict: string | undefined
  /** What becomes of what no rule is about, and who says so; undefined: nobody, and it is allowed. */
  readonly verdict: { readonly allows: boolean; readonly name: string } | undefined
  /** In no order: what denies wins. Their names say where they are from: `<kind>/<namespace>/<name>/<rule>`. */
  readonly rules: readonly AccessRule[]
}

/** How closely something is said about a port: the mesh, its namespace, the workload, the port itself. */
const levels = { none: 0, mesh: 1, namespace: 2, workload: 3, port: 4 } as const
/** What is said of one port is closer than what is said beside it. */
const ofOnePort = 0.5

type Said<T> = { readonly level: number; readonly value: T; readonly name: string }

function targetLevel(
  target: AccessTarget,
  workload: Workload,
  port: WorkloadPort | undefined,
  served: readonly ServedPort[],
): number {
  switch (target.kind) {
    case 'mesh':
      return levels.none
    case 'namespace':
      return levels.namespace
    case 'serviceAccount':
      return workload.serviceAccount === target.name ? levels.workload : levels.none
    case 'pods':
      return Object.entries(target.labels).every(([name, value]) => workload.labels[name] === value)
        ? levels.workload
        : levels.none
    case 'service': {
      const behind = served.filter(({ service }) => service.name === target.name)
      const wanted = target.port
      if (wanted === undefined) return behind.length > 0 ? levels.workload : levels.none
      const here = behind.some(
        (one) =>
          one.targetPort === port?.listen &&
          ('name' in wanted ? one.port.name === wanted.name : one.port.port === wanted.number),
      )
      return here ? levels.port : levels.none
    }
  }
}

/** How closely a policy is about a port of a workload (undefined: one that nobody has named); 0: not at all. */
export function levelOf(
  policy: AccessPolicy,
  workload: Workload,
  port: WorkloadPort | undefined,
  served: readonly ServedPort[],
): number {
  const isMesh = ({ kind }: AccessTarget): boolean => kind === 'mesh' && policy.namespace === meshNamespace
  const ofMesh = policy.targets.some(isMesh) ? levels.mesh : levels.none
  if (policy.namespace !== workload.namespace) return ofMesh
  return Math.max(ofMesh, ...policy.targets.map((target) => targetLevel(target, workload, port, served)))
}

type Applied = { readonly policy: AccessPolicy; readonly level: number }

function appliedTo(model: MeshModel, workload: Workload, port: WorkloadPort | undefined): readonly Applied[] {
  const { namespace } = workload
  const served = model.servedBy(keyOf(namespace, workload.name))
  const own = model.access.policiesIn(namespace)
  const ofMesh = namespace === meshNamespace ? [] : model.access.policiesIn(meshNamespace)
  return [...own, ...ofMesh].flatMap((policy) => {
    const level = levelOf(policy, workload, port, served)
    return level === levels.none ? [] : [{ policy, level }]
  })
}

function nameOf({ namespace, name }: AccessPolicy, rule: string): string {
  return `accesspolicy/${namespace}/${name}/${rule}`
}

/** What is said most closely. */
function closest<T>(said: readonly Said<T>[]): readonly Said<T>[] {
  const level = Math.max(...said.map((one) => one.level))
  return said.filter((one) => one.level === level)
}

/** Where two say different things as closely, `wins` does. */
function winning<T>(said: readonly Said<T>[], wins: T): Said<T> | undefined {
  const there = closest(said)
  return there.find(({ value }) => value === wins) ?? there[0]
}

function mtlsSaid(
  model: MeshModel,
  workload: Workload,
  applied: readonly Applied[],
  port: WorkloadPort | undefined,
): readonly Said<MtlsMode>[] {
  const byPolicies = applied.flatMap(({ policy, level }): Said<MtlsMode>[] => {
    const name = nameOf(policy, 'mtls')
    const here = policy.mtlsOfPorts.find((one) => one.port === port?.application)
    if (here !== undefined) return [{ level: level + ofOnePort, value: here.mode, name }]
    return policy.mtls === undefined ? [] : [{ level, value: policy.mtls, name }]
  })
  const { ofWorkload, ofNamespace } = model.inboundPolicies(workload)
  const byAnnotations = [
    [levels.workload, ofWorkload, keyOf(workload.namespace, workload.name)],
    [levels.namespace, ofNamespace, workload.namespace],
  ] as const
  const said = byAnnotations.flatMap(([level, policy, of]): Said<MtlsMode>[] =>
    policy === undefined
      ? []
      : [
          {
            level,
            value: policy === 'all-authenticated' ? 'strict' : 'permissive',
            name: `annotation/${of}/default-inbound-policy`,
          },
        ],
  )
  return [...byPolicies, ...said]
}

/** What a policy says of the rest: who allows something means that the rest is not. */
export function verdictOf({ verdict, rules }: AccessPolicy): 'allow' | 'deny' | undefined {
  return verdict ?? (rules.some(({ action }) => action === 'allow') ? 'deny' : undefined)
}

function verdictsSaid(applied: readonly Applied[], ofTargets: string | undefined) {
  const byPolicies = applied.flatMap(({ policy, level }): Said<'allow' | 'deny'>[] => {
    const value = verdictOf(policy)
    return value === undefined ? [] : [{ level, value, name: nameOf(policy, 'default') }]
  })
  return ofTargets === undefined
    ? byPolicies
    : [...byPolicies, { level: levels.workload, value: 'deny' as const, name: ofTargets }]
}

/** Of what is said most closely: the names of those who say different things; none: they agree. */
export function contradictions(
  model: MeshModel,
  workload: Workload,
  port: WorkloadPort | undefined,
): readonly (readonly string[])[] {
  const applied = appliedTo(model, workload, port)
  const all: readonly (readonly Said<string>[])[] = [
    closest(mtlsSaid(model, workload, applied, port)),
    closest(verdictsSaid(applied, targetRules(model, workload).name)),
  ]
  return all
    .filter((said) => new Set(said.map(({ value }) => value)).size > 1)
    .map((said) => said.map(({ name }) => name))
}

export function portAccess(model: MeshModel, workload: Workload, port: WorkloadPort | undefined): PortAccess {
  const applied = appliedTo(model, workload, port)
  const mtls = winning(mtlsSaid(model, workload, applied, port), 'strict')
  const targets = targetRules(model, workload)
  const verdict = winning(verdictsSaid(applied, targets.name), 'deny')
  return {
    strict: mtls?.value === 'strict' ? mtls.name : undefined,
    verdict: verdict && { allows: verdict.value === 'allow', name: verdict.name },
    rules: [
      ...applied.flatMap(({ policy }) =>
        policy.rules.map((rule) => ({ ...rule, name: nameOf(policy, rule.name) })),
      ),
      ...targets.rules,
    ],
  }
}

/** The ports that something is said about by itself. */
export function portsNamed(model: MeshModel, workload: Workload): readonly number[] {
  return appliedTo(model, workload, undefined).flatMap(({ policy }) =>
    policy.mtlsOfPorts.map(({ port }) => port),
  )
}
