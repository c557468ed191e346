/**
 * What somebody has to know about who may call whom: what means nobody, lets nobody in, or contradicts itself. Worked out
 * for who asks, over all of the mesh. Pure.
 */
import { parseSpiffeId } from '../../api/spiffe.ts'
import { contradictions, portAccess, type WorkloadPort } from './access.ts'
import type { AccessPolicy, AccessRule, AccessSource } from './access-policy.ts'
import {
  accessPolicyReport,
  identityBindingConditions,
  trafficTargetConditions,
  type AccessCondition,
} from './access-status.ts'
import type { Finding } from './finding.ts'
import { keyOf, type MeshModel } from './mesh-model.ts'
import type { Workload } from './objects.ts'
import { workloadPorts } from './workload-ports.ts'

/** The conditions' reasons, as findings name them. */
const codes: Readonly<Record<string, string>> = {
  TargetNotFound: 'ACCESS_TARGET_UNKNOWN',
  RefNotPermitted: 'ACCESS_TARGET_NOT_PERMITTED',
  UnsupportedValue: 'ACCESS_VALUE_UNSUPPORTED',
  RouteNotFound: 'ACCESS_ROUTE_UNKNOWN',
  IdentityNotFound: 'ACCESS_CLIENT_UNKNOWN',
}
/** More names than these say nothing more. */
const maxNamed = 5

type Named = { readonly namespace: string; readonly name: string }

function ofConditions(
  kind: string,
  { namespace, name }: Named,
  conditions: readonly AccessCondition[],
): readonly Finding[] {
  return conditions
    .filter(({ status }) => status === 'False')
    .map(({ reason, message }) => ({
      code: codes[reason] ?? reason,
      object: `${kind} ${keyOf(namespace, name)}`,
      message,
    }))
}

function aboutNobody(model: MeshModel, policy: AccessPolicy): readonly Finding[] {
  const { conditions, pods } = accessPolicyReport(model, policy)
  const said = ofConditions('AccessPolicy', policy, conditions)
  if (said.length > 0 || pods > 0) return said
  const object = `AccessPolicy ${keyOf(policy.namespace, policy.name)}`
  return [{ code: 'ACCESS_TARGET_UNKNOWN', object, message: 'it is about no pod' }]
}

/** Who there is: a client is somebody only while a pod runs as it. */
type Clients = { readonly accounts: ReadonlySet<string>; readonly namespaces: ReadonlySet<string> }

function clientsOf(model: MeshModel): Clients {
  const all = [...model.allWorkloads()]
  return {
    accounts: new Set(all.map(({ namespace, serviceAccount }) => keyOf(namespace, serviceAccount))),
    namespaces: new Set(all.map(({ namespace }) => namespace)),
  }
}

function principalTrouble(principal: string, { accounts }: Clients, trustDomain: string): string | undefined {
  if (principal.includes('*')) return undefined
  const id = parseSpiffeId(principal)
  if (id === undefined) return `'${principal}' is the id of no workload`
  if (id.trustDomain !== trustDomain) return `'${principal}' is of another trust domain than ${trustDomain}`
  const key = keyOf(id.namespace, id.serviceAccount)
  return accounts.has(key) ? undefined : `no pod runs as ServiceAccount '${key}'`
}

function sourceTroubles(source: AccessSource, clients: Clients, trustDomain: string): readonly string[] {
  return [
    ...source.principals.flatMap((principal) => principalTrouble(principal, clients, trustDomain) ?? []),
    ...source.serviceAccounts
      .map(({ namespace, name }) => keyOf(namespace, name))
      .filter((key) => !clients.accounts.has(key))
      .map((key) => `no pod runs as ServiceAccount '${key}'`),
    ...source.namespaces
      .filter((namespace) => !clients.namespaces.has(namespace))
      .map((namespace) => `no pod is in namespace '${namespace}'`),
  ]
}

function unknownClients(model: MeshModel): readonly Finding[] {
  const clients = clientsOf(model)
  const { access } = model
  const ofPolicies = [...access.allPolicies()].flatMap(({ namespace, name, rules }) =>
    rules.flatMap(({ name: rule, from }) =>
      from
        .flatMap((source) => sourceTroubles(source, clients, access.trustDomain))
        .map((trouble) => ({
          code: 'ACCESS_CLIENT_UNKNOWN',
          object: `AccessPolicy ${keyOf(namespace, name)}`,
          message: `rule '${rule}': ${trouble}`,
        })),
    ),
  )
  const ofTargets = [...access.allTargets()].flatMap(({ namespace, name, sources }) =>
    sources
      .filter(
        (source) =>
          source.kind === 'ServiceAccount' && !clients.accounts.has(keyOf(source.namespace, source.name)),
      )
      .map((source) => ({
        code: 'ACCESS_CLIENT_UNKNOWN',
        object: `TrafficTarget ${keyOf(namespace, name)}`,
        message: `no pod runs as ServiceAccount '${keyOf(source.namespace, source.name)}'`,
      })),
  )
  return [...ofPolicies, ...ofTargets]
}

function deniesAll({ action, from, to }: AccessRule): boolean {
  return action === 'deny' && from.length === 0 && to.length === 0
}

function isHere({ to }: AccessRule, { application }: WorkloadPort): boolean {
  return to.length === 0 || to.some(({ ports }) => ports.length === 0 || ports.includes(application))
}

/** The rule by which nobody at all may call a port; undefined: somebody may. */
function closedBy(model: MeshModel, workload: Workload, port: WorkloadPort): string | undefined {
  const { verdict, rules } = portAccess(model, workload, port)
  const denying = rules.find(deniesAll)
  if (denying !== undefined) return denying.name
  const allowed = rules.some((rule) => rule.action === 'allow' && isHere(rule, port))
  return verdict?.allows === false && !allowed ? verdict.name : undefined
}

/** `accesspolicy/shop/name/rule` -> the object. */
function objectOf(rule: string): string {
  const [kind = '', namespace = '', name = ''] = rule.split('/')
  const kinds: Readonly<Record<string, string>> = {
    accesspolicy: 'AccessPolicy',
    traffictarget: 'TrafficTarget',
  }
  return `${kinds[kind] ?? kind} ${keyOf(namespace, name)}`
}

function listed(names: ReadonlySet<string>): string {
  const all = [...names].toSorted()
  const more = all.length - maxNamed
  return `${all.slice(0, maxNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** Of each rule or group of rules, where it is in force. */
class Places {
  readonly #places = new Map<string, Set<string>>()

  add(what: string, { namespace, name }: Workload, { application }: WorkloadPort): void {
    const places = this.#places.get(what) ?? new Set()
    this.#places.set(what, places.add(`${namespace}/${name}:${application}`))
  }

  findings(
    code: string,
    objectIn: (what: string) => string,
    message: (what: string, where: string) => string,
  ) {
    return [...this.#places].map(
      ([what, places]): Finding => ({
        code,
        object: objectIn(what),
        message: message(what, listed(places)),
      }),
    )
  }
}

/** Denials of somebody by identity, who has none in clear. */
function avoidableRules(model: MeshModel, workload: Workload, port: WorkloadPort): readonly string[] {
  const { strict, verdict, rules } = portAccess(model, workload, port)
  // Who has no identity is let in neither way.
  if (strict !== undefined || verdict?.allows === false) return []
  const byIdentity = ({ principals, serviceAccounts, namespaces }: AccessSource): boolean =>
    principals.length + serviceAccounts.length + namespaces.length > 0
  return rules
    .filter((rule) => rule.action === 'deny' && rule.from.some(byIdentity) && isHere(rule, port))
    .map(({ name }) => name)
}

function decisionFindings(model: MeshModel): readonly Finding[] {
  const closed = new Places()
  const contradicted = new Places()
  const avoidable = new Places()
  for (const workload of model.allWorkloads()) {
    // Whom no Service leads to, nobody is meant to call.
    const served = model
      .servedBy(keyOf(workload.namespace, workload.name))
      .map(({ targetPort }) => targetPort)
    for (const port of workloadPorts(model, workload)) {
      const rule = served.includes(port.listen) ? closedBy(model, workload, port) : undefined
      if (rule !== undefined) closed.add(rule, workload, port)
      for (const name of avoidableRules(model, workload, port)) avoidable.add(name, workload, port)
      for (const names of contradictions(model, workload, port))
        contradicted.add(names.toSorted().join(', '), workload, port)
    }
  }
  return [
    ...closed.findings(
      'ACCESS_NOBODY_ALLOWED',
      objectOf,
      (rule, where) => `nobody may call ${where}, by ${rule}`,
    ),
    ...avoidable.findings(
      'ACCESS_DENIAL_AVOIDABLE',
      objectOf,
      (rule, where) => `${rule} denies by identity, and whoever calls ${where} in clear has none`,
    ),
    ...contradicted.findings(
      'ACCESS_CONTRADICTED',
      objectOf,
      (names, where) => `of ${where} as much is said by ${names}, which differ; the stricter one counts`,
    ),
  ]
}

export type AccessSummary = {
  /** AccessPolicies and TrafficTargets. */
  readonly policies: number
  readonly findings: readonly Finding[]
  /** Workloads with a port that takes mesh mTLS only, as `namespace/name`. */
  readonly strict: readonly string[]
}

function isStrict(model: MeshModel, workload: Workload): boolean {
  return workloadPorts(model, workload).some((port) => portAccess(model, workload, port).strict !== undefined)
}

export function accessSummary(model: MeshModel): AccessSummary {
  const { access } = model
  const [policies, targets] = [[...access.allPolicies()], [...access.allTargets()]]
  return {
    policies: policies.length + targets.length,
    findings: [
      ...policies.flatMap((policy) => aboutNobody(model, policy)),
      ...targets.flatMap((target) =>
        ofConditions('TrafficTarget', target, trafficTargetConditions(model, target)),
      ),
      ...[...access.allBindings()].flatMap((binding) =>
        ofConditions('IdentityBinding', binding, identityBindingConditions(model, binding)),
      ),
      ...unknownClients(model),
      ...decisionFindings(model),
    ],
    strict: [...model.allWorkloads()]
      .filter((workload) => isStrict(model, workload))
      .map(({ namespace, name }) => keyOf(namespace, name)),
  }
}
