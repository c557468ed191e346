/** HTTPRoute, v1 and v1beta1. What its CRD would refuse is refused here, with its path. */
import { pathProblem } from '../../core/http-field.ts'
import type { Change, RouteMatch } from '../model/objects.ts'
import type { RouteRetry, RouteRule } from '../model/route.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'
import { readFilters, replacesPrefix } from './http-route-filters.ts'
import {
  checkRegex,
  firstOfEach,
  readBackends,
  readHeaderMatches,
  readRoute,
  readSession,
  readTextMatch,
} from './route-fields.ts'

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'] as const

function checkPath(field: FieldReader, value: string): void {
  const problem = pathProblem(value)
  if (problem !== undefined) field.problem(problem)
  else if (/\/\/|\/\.\.?(?:\/|$)|%2f/i.test(value)) field.problem('must not hold //, /., /.. or %2f')
}

function readMatch(field: FieldReader): RouteMatch {
  const path = field.at('path')
  const type = path.at('type').choice(['Exact', 'PathPrefix', 'RegularExpression']) ?? 'PathPrefix'
  const value = path.at('value').string() ?? '/'
  if (type === 'RegularExpression') checkRegex(path.at('value'), value)
  else checkPath(path.at('value'), value)
  return {
    path: {
      kind: ({ Exact: 'exact', PathPrefix: 'prefix', RegularExpression: 'regex' } as const)[type],
      value,
    },
    headers: readHeaderMatches(field.at('headers')),
    query: firstOfEach(
      field
        .at('queryParams')
        .list()
        .map((entry) => readTextMatch(entry, false)),
    ),
    method: field.at('method').choice(methods),
  }
}

function readRetry(field: FieldReader): RouteRetry | undefined {
  if (!field.present) return undefined
  return {
    statusCodes: field
      .at('codes')
      .list()
      .flatMap((code) => code.integer(400, 599) ?? []),
    limit: field.at('attempts').integer(0, 1000),
    backoffMs: field.at('backoff').durationMs(),
  }
}

/** What its fields allow one by one, but not together. */
function checkRule(field: FieldReader, { matches, filters, backends }: RouteRule): void {
  if (filters.some(({ kind }) => kind === 'redirect') && backends.length > 0)
    field.at('backendRefs').problem('must be empty beside a RequestRedirect')
  const replacing = [filters, ...backends.map((backend) => backend.filters)].some(replacesPrefix)
  const [match, second] = matches
  const onePrefix = second === undefined && (match === undefined || match.path.kind === 'prefix')
  if (replacing && !onePrefix) field.at('matches').problem('must be one PathPrefix for a ReplacePrefixMatch')
}

function readRule(field: FieldReader, namespace: string): RouteRule {
  const timeouts = field.at('timeouts')
  const rule: RouteRule = {
    name: field.at('name').string(),
    matches: field.at('matches').list().map(readMatch),
    filters: readFilters(field.at('filters'), namespace),
    backends: readBackends(field.at('backendRefs'), namespace),
    timeoutMs: timeouts.at('request').durationMs('zero'),
    attemptTimeoutMs: timeouts.at('backendRequest').durationMs('zero'),
    retry: readRetry(field.at('retry')),
    session: readSession(field.at('sessionPersistence')),
  }
  const { timeoutMs = 0, attemptTimeoutMs = 0 } = rule
  if (timeoutMs !== 0 && attemptTimeoutMs > timeoutMs)
    timeouts.at('backendRequest').problem('must not be longer than request')
  checkRule(field, rule)
  return rule
}

export function convertHttpRoute(object: FieldReader, head: ObjectHead): Change {
  return { kind: 'route', key: head.key, value: readRoute('HTTPRoute', object, head, readRule) }
}
