/** SMI's TrafficTargets as rules: what they allow of a workload, where everything else is denied. Pure. */
import type {
  AccessOperation,
  AccessPath,
  AccessRule,
  AccessSource,
  IdentityReference,
  TrafficTarget,
} from './access-policy.ts'
import { binds, type BoundClients, boundClients } from './identity-binding.ts'
import type { MeshModel } from './mesh-model.ts'
import { keyOf } from './naming.ts'
import type { RouteGroup, Workload } from './objects.ts'
import { wholePathRegex } from './whole-path-regex.ts'

/** Only who owns the workload may say who calls it. */
export function isAbout(model: MeshModel, target: TrafficTarget, workload: Workload): boolean {
  const { destination, namespace } = target
  if (destination.namespace !== namespace || namespace !== workload.namespace) return false
  if (destination.kind === 'ServiceAccount') return destination.name === workload.serviceAccount
  const binding = destination.kind === 'IdentityBinding' ? model.access.binding(destination) : undefined
  return binding !== undefined && binds(binding, workload, model.access.trustDomain)
}

/** Those that a source means by an IdentityBinding; undefined: there is none of its name. */
export function clientsBoundBy(model: MeshModel, source: IdentityReference): BoundClients | undefined {
  const binding = model.access.binding(source)
  if (binding === undefined) return undefined
  return boundClients(binding, model.workloadsIn(binding.namespace), model.access.trustDomain)
}

function pathOf(pathRegex: string | undefined): readonly AccessPath[] {
  return pathRegex === undefined ? [] : [{ kind: 'regex', value: wholePathRegex(pathRegex) }]
}

function operationsOf(
  group: RouteGroup,
  names: readonly string[] | undefined,
  ports: readonly number[],
): readonly AccessOperation[] {
  const chosen = group.matches.filter(({ name }) => names === undefined || names.includes(name))
  return chosen.map(({ pathRegex, methods, headers }) => ({
    ports,
    paths: pathOf(pathRegex),
    methods,
    headers,
  }))
}

/** The ports of its TCPRoutes; empty: all of them, or it has none. */
function tcpPorts(model: MeshModel, { namespace, rules }: TrafficTarget): readonly number[] | undefined {
  const routes = rules
    .filter(({ kind }) => kind === 'TCPRoute')
    .flatMap(({ name }) => model.tcpRoute(keyOf(namespace, name)) ?? [])
  if (routes.length === 0) return undefined
  return routes.some(({ ports }) => ports.length === 0) ? [] : routes.flatMap(({ ports }) => ports)
}

/** What it allows: the matches of its groups, on the ports of its TCPRoutes; without groups, all that comes to these. */
function allowedBy(model: MeshModel, target: TrafficTarget): readonly AccessOperation[] {
  const { namespace, rules } = target
  const tcp = tcpPorts(model, target)
  const own = target.port === undefined ? [] : [target.port]
  const ports =
    tcp === undefined || tcp.length === 0 ? own : tcp.filter((port) => own.every((one) => one === port))
  // Its ports, and none of them is meant by both.
  if (tcp !== undefined && tcp.length > 0 && ports.length === 0) return []
  const groups = rules.filter(({ kind }) => kind === 'HTTPRouteGroup')
  if (groups.length === 0) return tcp === undefined ? [] : [{ ports, paths: [], methods: [], headers: [] }]
  return groups.flatMap(({ name, matches }) => {
    const group = model.routeGroup(keyOf(namespace, name))
    return group === undefined ? [] : operationsOf(group, matches, ports)
  })
}

function sourcesOf(model: MeshModel, { sources }: TrafficTarget): readonly AccessSource[] {
  const serviceAccounts = sources
    .filter(({ kind }) => kind === 'ServiceAccount')
    .map(({ namespace, name }) => ({ namespace, name }))
  const bound = sources
    .filter(({ kind }) => kind === 'IdentityBinding')
    .flatMap((source) => clientsBoundBy(model, source)?.sources ?? [])
  const named: AccessSource = { principals: [], serviceAccounts, namespaces: [], cidrs: [] }
  return serviceAccounts.length === 0 ? bound : [named, ...bound]
}

function ruleOf(model: MeshModel, target: TrafficTarget): readonly AccessRule[] {
  const to = allowedBy(model, target)
  const from = sourcesOf(model, target)
  // Nothing, or nobody: an empty list would mean everything, and everybody.
  if (to.length === 0 || from.length === 0) return []
  return [{ name: `traffictarget/${target.namespace}/${target.name}`, action: 'allow', from, to }]
}

/** `name` is set where there are any, and everything else is denied. */
export function targetRules(
  model: MeshModel,
  workload: Workload,
): { readonly name: string | undefined; readonly rules: readonly AccessRule[] } {
  const targets = model.access
    .targetsIn(workload.namespace)
    .filter((target) => isAbout(model, target, workload))
  const [first] = targets
  if (first === undefined) return { name: undefined, rules: [] }
  const name = `traffictarget/${first.namespace}/${first.name}/default`
  return { name, rules: targets.flatMap((target) => ruleOf(model, target)) }
}
