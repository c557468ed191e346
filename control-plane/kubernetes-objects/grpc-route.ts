/** GRPCRoute, v1. A call's method is its path, `/service/method`, so its matches become those of paths. */
import type { Change, RouteMatch } from '../model/objects.ts'
import type { RouteFilter, RouteRule } from '../model/route.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'
import { readFilters } from './http-route-filters.ts'
import { checkRegex, readBackends, readHeaderMatches, readRoute, readSession } from './route-fields.ts'

const serviceForm = /^\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$/i
const methodForm = /^[A-Za-z_][A-Za-z_0-9]*$/
const maxName = 1024
const filterTypes = [
  'RequestHeaderModifier',
  'ResponseHeaderModifier',
  'RequestMirror',
  'ExtensionRef',
] as const

function readName(field: FieldReader, form: RegExp | undefined): string | undefined {
  const name = field.string()
  if (name === undefined) return undefined
  if (name === '' || name.length > maxName) field.problem(`must have 1 to ${maxName} characters`)
  else if (form === undefined) checkRegex(field, name)
  else if (!form.test(name)) field.problem('is no name in a .proto')
  return name
}

/** The most characters of the service count first, then those of the method. */
function rankOf(service: string | undefined, method: string | undefined): number {
  return (service?.length ?? 0) * (maxName + 1) + (method?.length ?? 0)
}

function readMethod(field: FieldReader): RouteMatch['path'] {
  if (!field.present) return { kind: 'prefix', value: '/' }
  const exact = (field.at('type').choice(['Exact', 'RegularExpression']) ?? 'Exact') === 'Exact'
  const service = readName(field.at('service'), exact ? serviceForm : undefined)
  const method = readName(field.at('method'), exact ? methodForm : undefined)
  if (service === undefined && method === undefined) field.problem('must have a service or a method')
  if (exact && service !== undefined)
    return method === undefined
      ? { kind: 'prefix', value: `/${service}` }
      : { kind: 'exact', value: `/${service}/${method}` }
  const part = (name: string | undefined): string => (name === undefined ? '[^/]+' : `(?:${name})`)
  return { kind: 'regex', value: `/${part(service)}/${part(method)}`, rank: rankOf(service, method) }
}

function readMatch(field: FieldReader): RouteMatch {
  return {
    path: readMethod(field.at('method')),
    headers: readHeaderMatches(field.at('headers')),
    query: [],
    method: undefined,
  }
}

/** Redirects and rewrites are for HTTPRoutes. */
function readCallFilters(field: FieldReader, namespace: string): readonly RouteFilter[] {
  for (const entry of field.list()) entry.at('type').choice(filterTypes)
  return readFilters(field, namespace)
}

function readRule(field: FieldReader, namespace: string): RouteRule {
  for (const entry of field.at('backendRefs').list())
    for (const filter of entry.at('filters').list()) filter.at('type').choice(filterTypes)
  return {
    name: field.at('name').string(),
    matches: field.at('matches').list().map(readMatch),
    filters: readCallFilters(field.at('filters'), namespace),
    backends: readBackends(field.at('backendRefs'), namespace),
    timeoutMs: undefined,
    attemptTimeoutMs: undefined,
    retry: undefined,
    session: readSession(field.at('sessionPersistence')),
  }
}

export function convertGrpcRoute(object: FieldReader, head: ObjectHead): Change {
  return { kind: 'grpcRoute', key: head.key, value: readRoute('GRPCRoute', object, head, readRule) }
}
