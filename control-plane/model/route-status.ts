/** What is done with a route, by each of its parents: the conditions that its status has to show. Pure. */
import { keyOf, type MeshModel } from './mesh-model.ts'
import type { Route, RouteParent } from './route.ts'
import { referencesOf } from './route-set.ts'
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
  readonly namespace: string
  readonly name: string
  readonly parents: readonly RouteParentStatus[]
}

/** Why there is nothing that the route could be for. */
function parentProblem(model: MeshModel, { namespace, service, port, sectionName }: RouteParent): string {
  const key = keyOf(namespace, service)
  const found = model.service(key)
  if (found === undefined) return `its parent '${key}' is no Service`
  const here = found.ports.filter(
    (candidate) =>
      (port ?? candidate.port) === candidate.port && (sectionName ?? candidate.name) === candidate.name,
  )
  return here.length > 0
    ? ''
    : `its parent '${key}' has no port ${[sectionName, port].filter(Boolean).join(' ')}`
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
  const missing = parentProblem(model, parent)
  if (missing !== '')
    return [{ type: 'Accepted', status: 'False', reason: 'NoMatchingParent', message: missing }]
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
  const { namespace, name, parents } = route
  return {
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
