/** SMI's TrafficTargets as rules: what they allow of a workload, where everything else is denied. Pure. */
import type { AccessOperation, AccessPath, AccessRule, TrafficTarget } from './access-policy.ts'
import type { MeshModel } from './mesh-model.ts'
import { keyOf } from './naming.ts'
import type { RouteGroup, Workload } from './objects.ts'
import { wholePathRegex } from './whole-path-regex.ts'

/** Only who owns the workload may say who calls it. */
export function isAbout(target: TrafficTarget, workload: Workload): boolean {
  const { destination, namespace } = target
  return (
    destination.supported &&
    destination.namespace === namespace &&
    namespace === workload.namespace &&
    destination.name === workload.serviceAccount
  )
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

function ruleOf(model: MeshModel, target: TrafficTarget): readonly AccessRule[] {
  const to = allowedBy(model, target)
  const serviceAccounts = target.sources.filter(({ kind }) => kind === 'ServiceAccount')
  // Nothing, or nobody: an empty list would mean everything, and everybody.
  if (to.length === 0 || serviceAccounts.length === 0) return []
  const from = [{ principals: [], serviceAccounts, namespaces: [], cidrs: [] }]
  return [{ name: `traffictarget/${target.namespace}/${target.name}`, action: 'allow', from, to }]
}

/** `name` is set where there are any, and everything else is denied. */
export function targetRules(
  model: MeshModel,
  workload: Workload,
): { readonly name: string | undefined; readonly rules: readonly AccessRule[] } {
  const targets = model.access.targetsIn(workload.namespace).filter((target) => isAbout(target, workload))
  const [first] = targets
  if (first === undefined) return { name: undefined, rules: [] }
  const name = `traffictarget/${first.namespace}/${first.name}/default`
  return { name, rules: targets.flatMap((target) => ruleOf(model, target)) }
}
