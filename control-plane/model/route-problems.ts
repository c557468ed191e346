/** Why a route, or a part of one, cannot be followed as it stands; in the Gateway API's words. Pure. */
import { portOf } from './external-name.ts'
import { keyOf, type MeshModel } from './mesh-model.ts'
import type { BackendReference, Route, RouteBackend, RouteFilter, RouteRule } from './route.ts'

export type ReferenceProblem = {
  readonly reason: 'BackendNotFound' | 'InvalidKind' | 'RefNotPermitted'
  readonly message: string
}
export type RuleProblem = {
  readonly reason: 'UnsupportedValue' | 'IncompatibleFilters'
  readonly message: string
}

/** undefined: what is referred to can be sent to. */
export function referenceProblem(
  model: MeshModel,
  route: Route,
  reference: BackendReference,
): ReferenceProblem | undefined {
  const { namespace, service, port, unsupported } = reference
  const key = keyOf(namespace, service)
  if (unsupported) return { reason: 'InvalidKind', message: `backend '${key}' is not a Service` }
  // Before anything else: what may not be referred to is not told about either.
  if (!model.permitsReference(route, reference))
    return {
      reason: 'RefNotPermitted',
      message: `no ReferenceGrant lets '${route.namespace}' refer to '${key}'`,
    }
  if (portOf(model.service(key), port) !== undefined) return undefined
  return { reason: 'BackendNotFound', message: `backend '${key}:${port}' is no port of a Service` }
}

function unsupportedFilter(filters: readonly RouteFilter[]): RuleProblem | undefined {
  const filter = filters.find(({ kind }) => kind === 'unsupported')
  if (filter?.kind !== 'unsupported') return undefined
  return { reason: 'UnsupportedValue', message: `filter ${filter.type} is not supported` }
}

/** A backend that its own filters spoil: its share of the requests fails. */
export function backendProblem({ filters }: RouteBackend): RuleProblem | undefined {
  return unsupportedFilter(filters)
}

/** These choose a backend before any session could. */
function decidesAlone({ kind, ...filter }: RouteFilter): boolean {
  return kind === 'redirect' || kind === 'mirror' || ('path' in filter && filter.path !== undefined)
}

/** A rule that cannot be followed at all: its requests fail. */
export function ruleProblem({ filters, session, backends }: RouteRule): RuleProblem | undefined {
  const unsupported = unsupportedFilter(filters)
  if (unsupported !== undefined) return unsupported
  if (session !== undefined && backends.some((backend) => backend.filters.some(decidesAlone)))
    return {
      reason: 'IncompatibleFilters',
      message: 'sessions cannot be kept over backends that redirect, mirror or rewrite the path themselves',
    }
  return undefined
}
