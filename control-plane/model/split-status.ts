/** What a TrafficSplit says, what is done, and why the two differ: conditions, and events when they change. Pure. */
import { keyOf, type MeshModel } from './mesh-model.ts'
import type { Split } from './objects.ts'
import { leftOut, type LeftOutReason, splitBackends, splitInForce } from './split.ts'

type Reason =
  | 'Accepted'
  | 'ApexUnknown'
  | 'Overruled'
  | 'RouteTakesPrecedence'
  | 'ResolvedRefs'
  | LeftOutReason
  | 'RouteGroupUnknown'
  | 'Programmed'
  | 'AllWeightsZero'
  | 'NoBackendLeft'

/** As Kubernetes has them; `message` is empty where there is nothing to say. */
export type SplitCondition = {
  readonly type: 'Accepted' | 'ResolvedRefs' | 'Programmed'
  readonly status: 'True' | 'False'
  readonly reason: Reason
  readonly message: string
}

export type SplitStatus = {
  readonly namespace: string
  readonly name: string
  readonly apex: string
  readonly weightsMilli: Readonly<Record<string, number>>
  readonly conditions: readonly SplitCondition[]
}

export type SplitEvent = {
  readonly type: 'Normal' | 'Warning'
  readonly reason: 'Created' | 'WeightsChanged' | 'Resolved' | Reason
  readonly message: string
}

function yes(type: SplitCondition['type'], message = ''): SplitCondition {
  return { type, status: 'True', reason: type, message }
}

function no(type: SplitCondition['type'], reason: Reason, message: string): SplitCondition {
  return { type, status: 'False', reason, message }
}

function portsOf(model: MeshModel, split: Split): readonly number[] {
  return model.service(keyOf(split.namespace, split.apex))?.ports.map((port) => port.port) ?? []
}

function accepted(model: MeshModel, split: Split): SplitCondition {
  const apexKey = keyOf(split.namespace, split.apex)
  if (model.service(apexKey) === undefined)
    return no('Accepted', 'ApexUnknown', `its apex '${split.apex}' is no Service`)
  const winner = splitInForce(model, apexKey)
  if (winner !== undefined && winner.name !== split.name)
    return no('Accepted', 'Overruled', `'${winner.name}' has the same apex '${split.apex}' and is older`)
  const ports = portsOf(model, split)
  const routed = ports.filter((port) => model.routes(apexKey, port).length > 0)
  if (routed.length === 0) return yes('Accepted')
  const message = `a route on '${split.apex}' counts instead${routed.length < ports.length ? ` on port ${routed.join(', ')}` : ''}`
  return routed.length < ports.length
    ? yes('Accepted', message)
    : no('Accepted', 'RouteTakesPrecedence', message)
}

function resolved(model: MeshModel, split: Split): SplitCondition {
  for (const group of split.matches) {
    if (model.routeGroup(keyOf(split.namespace, group)) === undefined)
      return no(
        'ResolvedRefs',
        'RouteGroupUnknown',
        `there is no HTTPRouteGroup '${group}'; it matches nothing`,
      )
  }
  const problems: { reason: LeftOutReason; message: string }[] = []
  for (const { service } of split.backends) {
    const ports = portsOf(model, split).filter((port) => leftOut(model, split, service, port) !== undefined)
    const reason = ports[0] === undefined ? undefined : leftOut(model, split, service, ports[0])
    if (reason === 'BackendUnknown')
      problems.push({ reason, message: `backend '${service}' is no Service; it gets nothing` })
    else if (reason === 'BackendWithoutPort')
      problems.push({
        reason,
        message: `backend '${service}' has no port ${ports.join(', ')}; it gets nothing there`,
      })
  }
  const [first] = problems
  if (first === undefined) return yes('ResolvedRefs')
  return no('ResolvedRefs', first.reason, problems.map((problem) => problem.message).join('; '))
}

function programmed(model: MeshModel, split: Split): SplitCondition {
  const ports = portsOf(model, split)
  const apart = ports.filter((port) => splitBackends(model, split, port).length === 0)
  if (apart.length === 0) return yes('Programmed')
  const where = apart.length < ports.length ? ` on port ${apart.join(', ')}` : ''
  return split.backends.every((backend) => backend.weightMilli === 0)
    ? no('Programmed', 'AllWeightsZero', `all weights are zero; '${split.apex}' serves its requests itself`)
    : no(
        'Programmed',
        'NoBackendLeft',
        `no backend with a weight can be sent to${where}; '${split.apex}' serves its requests itself there`,
      )
}

export function splitStatus(model: MeshModel, split: Split): SplitStatus {
  const { namespace, name, apex, backends } = split
  const ours = accepted(model, split)
  return {
    namespace,
    name,
    apex,
    weightsMilli: Object.fromEntries(backends.map(({ service, weightMilli }) => [service, weightMilli])),
    conditions: [
      ours,
      resolved(model, split),
      ours.status === 'False' ? no('Programmed', ours.reason, ours.message) : programmed(model, split),
    ],
  }
}

/** What to report about a change; `before` undefined: the split is new. */
export function splitEvents(before: SplitStatus | undefined, after: SplitStatus): readonly SplitEvent[] {
  const events: SplitEvent[] = []
  const shares = Object.entries(after.weightsMilli)
    .map(([service, weightMilli]) => `${service} ${weightMilli / 1000}`)
    .join(', ')
  if (before === undefined)
    events.push({ type: 'Normal', reason: 'Created', message: `splits '${after.apex}': ${shares}` })
  else if (JSON.stringify(before.weightsMilli) !== JSON.stringify(after.weightsMilli))
    events.push({ type: 'Normal', reason: 'WeightsChanged', message: `splits '${after.apex}': ${shares}` })
  after.conditions.forEach((condition, i) => {
    const earlier = before?.conditions[i]
    const { type, status, reason, message } = condition
    if (status === earlier?.status && message === earlier.message) return
    // Not programmed because not accepted: said once.
    if (type === 'Programmed' && reason === after.conditions[0]?.reason) return
    if (status === 'False') events.push({ type: 'Warning', reason, message })
    else if (earlier?.status === 'False')
      events.push({ type: 'Normal', reason: 'Resolved', message: `${type} again` })
  })
  return events
}
