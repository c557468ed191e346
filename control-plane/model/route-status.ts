/** What is done with a route, by each of its parents: the conditions that its status has to show. Pure. */
import { keyOf, type MeshModel } from './mesh-model.ts'
import type { ServicePort } from './objects.ts'
import type { Route, RouteKind, RouteParent } from './route.ts'
import { isFor, referencesOf } from './route-set.ts'
import { backendProblem, referenceProblem, ruleProblem, type RuleProblem } from './route-problems.ts'

export type RouteCondition = {
  readonly type: 'Accepted' | 'ResolvedRefs' | 'PartiallyInvalid'
  readonly status: 'True' | 'False'
  readonly reason: string
  /** Empty where there is nothing to say. */
  readonly message: string
}

export type RouteParentStatus = {
  /** As it was written. */
  readonly parentRef: object
  readonly conditions: readonly RouteCondition[]
}

export type RouteStatus = {
  readonly kind: RouteKind
  readonly namespace: string
  readonly name: string
  readonly parents: readonly RouteParentStatus[]
}

type ParentProblem = { readonly reason: 'NoMatchingParent' | 'Conflicted'; readonly message: string }

/** Why the route counts for no port of a parent. */
function parentProblem(model: MeshModel, route: Route, parent: RouteParent): ParentProblem | undefined {
  const { namespace, service, port, sectionName } = parent
  const key = keyOf(namespace, service)
  const found = model.service(key)
  const none = (message: string): ParentProblem => ({ reason: 'NoMatchingParent', message })
  if (found === undefined) return none(`its parent '${key}' is no Service`)
  const here = found.ports.filter(
    (candidate) =>
      (port ?? candidate.port) === candidate.port && (sectionName ?? candidate.name) === candidate.name,
  )
  if (here.length === 0)
    return none(`its parent '${key}' has no port ${[sectionName, port].filter(Boolean).join(' ')}`)
  const stronger = here.map((candidate) => beatenBy(model, route, key, candidate))
  const [first] = stronger
  if (first === undefined || stronger.includes(undefined)) return undefined
  const message = `GRPCRoute '${keyOf(first.namespace, first.name)}' counts instead for '${key}'`
  return { reason: 'Conflicted', message }
}

/** The GRPCRoute for the same clients that takes an HTTPRoute's place on a port. */
function beatenBy(model: MeshModel, route: Route, key: string, port: ServicePort): Route | undefined {
  if (route.kind === 'GRPCRoute') return undefined
  return model
    .routesNaming(key)
    .find(
      (other) => other.kind === 'GRPCRoute' && other.namespace === route.namespace && isFor(other, key, port),
    )
}

function named(problem: RuleProblem | undefined, where: string): readonly RuleProblem[] {
  return problem === undefined
    ? []
    : [{ ...problem, message: `${where}: ${problem.message}; it fails with 500` }]
}

/** What of its rules cannot be followed. */
function problemsOf({ rules }: Route): { readonly list: readonly RuleProblem[]; readonly all: boolean } {
  const ofRules = rules.map((rule, r) => named(ruleProblem(rule), `rules[${r}]`))
  const ofBackends = rules.flatMap(({ backends }, r) =>
    backends.flatMap((backend, b) => named(backendProblem(backend), `rules[${r}].backendRefs[${b}]`)),
  )
  return {
    list: [...ofRules.flat(), ...ofBackends],
    all: rules.length > 0 && ofRules.every((problems) => problems.length > 0),
  }
}

function accepted(model: MeshModel, route: Route, parent: RouteParent): readonly RouteCondition[] {
  const missing = parentProblem(model, route, parent)
  if (missing !== undefined) return [{ type: 'Accepted', status: 'False', ...missing }]
  const { list, all } = problemsOf(route)
  const [first] = list
  if (first === undefined) return [{ type: 'Accepted', status: 'True', reason: 'Accepted', message: '' }]
  const { reason } = first
  const message = list.map((problem) => problem.message).join('; ')
  if (all) return [{ type: 'Accepted', status: 'False', reason, message }]
  return [
    { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' },
    { type: 'PartiallyInvalid', status: 'True', reason, message },
  ]
}

function resolvedRefs(model: MeshModel, route: Route): RouteCondition {
  const problems = referencesOf(route).flatMap((reference) => referenceProblem(model, route, reference) ?? [])
  const [first] = problems
  if (first === undefined)
    return { type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs', message: '' }
  const messages = new Set(problems.map((problem) => problem.message))
  return { type: 'ResolvedRefs', status: 'False', reason: first.reason, message: [...messages].join('; ') }
}

export function routeStatus(model: MeshModel, route: Route): RouteStatus {
  const { kind, namespace, name, parents } = route
  return {
    kind,
    namespace,
    name,
    parents: parents.map((parent) => ({
      parentRef: parent.reference,
      conditions: [...accepted(model, route, parent), resolvedRefs(model, route)],
    })),
  }
}

/** A condition that somebody has to know about. */
export function isTrouble({ type, status }: RouteCondition): boolean {
  return type === 'PartiallyInvalid' ? status === 'True' : status === 'False'
}
