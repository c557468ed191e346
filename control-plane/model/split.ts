/** SMI's TrafficSplit: what becomes of the requests to its apex, and what there is to say about it. Pure. */
import { portOf } from './external-name.ts'
import { keyOf, type MeshModel } from './mesh-model.ts'
import type { RouteGroup, RouteMatch, Split } from './objects.ts'
import { own, reduceWeights, type Rule, type WeightedBackend } from './rule.ts'
import { wholePathRegex } from './whole-path-regex.ts'

/** Why a backend gets nothing on a port, whatever its weight says. */
export type LeftOutReason = 'BackendUnknown' | 'BackendWithoutPort'

/** undefined: it can be sent to. */
export function leftOut(
  model: MeshModel,
  split: Split,
  service: string,
  port: number,
): LeftOutReason | undefined {
  const found = model.service(keyOf(split.namespace, service))
  if (found === undefined) return 'BackendUnknown'
  return portOf(found, port) !== undefined ? undefined : 'BackendWithoutPort'
}

/** The split that counts for an apex: the oldest, then the first by name. */
export function splitInForce(model: MeshModel, apexKey: string): Split | undefined {
  return model.splits(apexKey)[0]
}

/**
 * The backends that are sent to. Those that weigh nothing stay among them, so that a client keeps their connections
 * and what it knows of them until they get a share again. Empty: the apex serves its requests itself.
 */
export function splitBackends(model: MeshModel, split: Split, port: number): readonly WeightedBackend[] {
  const usable = split.backends.filter(({ service }) => leftOut(model, split, service, port) === undefined)
  if (usable.every((backend) => backend.weightMilli === 0)) return []
  const weights = reduceWeights(usable.map((backend) => backend.weightMilli))
  return usable.map(({ service }, i) => ({
    backend: { key: keyOf(split.namespace, service), port },
    weight: weights[i] as number,
  }))
}

/** SMI anchors a path's regex at its beginning, routes match the whole path. */
function pathOf(pathRegex: string | undefined): RouteMatch['path'] {
  return pathRegex === undefined
    ? { kind: 'prefix', value: '/' }
    : { kind: 'regex', value: wholePathRegex(pathRegex) }
}

function matchesOf(group: RouteGroup): readonly RouteMatch[] {
  return group.matches.flatMap(({ pathRegex, methods, headers }) => {
    const anyMethod: readonly (string | undefined)[] = methods.length === 0 ? [undefined] : methods
    return anyMethod.map((method) => ({ path: pathOf(pathRegex), headers, query: [], method }))
  })
}

/** The rules for one port of an apex, or undefined when nothing splits it. A backend is never followed further. */
export function splitRules(model: MeshModel, apexKey: string, port: number): readonly Rule[] | undefined {
  const split = splitInForce(model, apexKey)
  if (split === undefined) return undefined
  const backends = splitBackends(model, split, port)
  const rest = own(apexKey, port)
  if (backends.length === 0) return [rest]
  const rule = (match: RouteMatch | undefined): Rule => ({
    name: `split/${split.namespace}/${split.name}`,
    match,
    backends,
    sharesMove: true,
    timeoutMs: undefined,
  })
  if (split.matches.length === 0) return [rule(undefined)]
  const groups = split.matches.flatMap((name) => model.routeGroup(keyOf(split.namespace, name)) ?? [])
  // What no match matches goes to the apex.
  return [...groups.flatMap(matchesOf).map(rule), rest]
}
