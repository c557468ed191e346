/** HTTPRoute, v1 and v1beta1. What its CRD would refuse is refused here, with its path. */
import { fieldNameProblem, pathProblem } from '../../core/http-field.ts'
import { compileRegex } from '../../core/linear-regex.ts'
import type { Change, RouteMatch, TextMatch } from '../model/objects.ts'
import type { RouteBackend, RouteParent, RouteRetry, RouteRule, SessionPersistence } from '../model/route.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'
import { readFilters, readReference, replacesPrefix } from './http-route-filters.ts'

const maxWeight = 1_000_000
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'] as const

function readParent(field: FieldReader, namespace: string): readonly RouteParent[] {
  const group = field.at('group').string() ?? 'gateway.networking.k8s.io'
  const kind = field.at('kind').string() ?? 'Gateway'
  const service = field.at('name').requiredString()
  // A Gateway's route may have a Service as a second parent; what is not ours is somebody else's.
  if (kind !== 'Service' || (group !== '' && group !== 'core')) return []
  return [
    {
      namespace: field.at('namespace').string() ?? namespace,
      service,
      port: field.at('port').port(),
      sectionName: field.at('sectionName').string(),
      reference: field.raw as object,
    },
  ]
}

function checkRegex(field: FieldReader, regex: string): void {
  const compiled = compileRegex(regex)
  if (!compiled.ok) field.problem(compiled.problem)
}

export function readTextMatch(field: FieldReader, lower: boolean): TextMatch {
  const name = field.at('name').requiredString()
  const type = field.at('type').choice(['Exact', 'RegularExpression']) ?? 'Exact'
  const value = field.at('value').requiredString()
  if (value === '' && field.at('value').present) field.at('value').problem('must not be empty')
  if (type === 'RegularExpression') checkRegex(field.at('value'), value)
  return { name: lower ? name.toLowerCase() : name, value, regex: type === 'RegularExpression' }
}

/** Of entries for one name the first counts. */
function firstOfEach(matches: readonly TextMatch[]): readonly TextMatch[] {
  return matches.filter(({ name }, i) => matches.findIndex((other) => other.name === name) === i)
}

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
  const headers = field.at('headers').list()
  for (const header of headers) {
    const name = header.at('name')
    const problem = fieldNameProblem(typeof name.raw === 'string' ? name.raw : '')
    // Any field may be looked at, only the grammar counts.
    if (problem?.startsWith('must be') === true) name.problem(problem)
  }
  return {
    path: {
      kind: ({ Exact: 'exact', PathPrefix: 'prefix', RegularExpression: 'regex' } as const)[type],
      value,
    },
    headers: firstOfEach(headers.map((entry) => readTextMatch(entry, true))),
    query: firstOfEach(
      field
        .at('queryParams')
        .list()
        .map((entry) => readTextMatch(entry, false)),
    ),
    method: field.at('method').choice(methods),
  }
}

function readBackend(field: FieldReader, namespace: string): RouteBackend {
  return {
    ...readReference(field, namespace),
    weight: field.at('weight').integer(0, maxWeight) ?? 1,
    filters: readFilters(field.at('filters'), namespace),
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

function readSession(field: FieldReader): SessionPersistence | undefined {
  if (!field.present) return undefined
  const type = field.at('type').choice(['Cookie', 'Header']) ?? 'Cookie'
  const lifetime = field.at('cookieConfig').at('lifetimeType').choice(['Session', 'Permanent']) ?? 'Session'
  const name = field.at('sessionName').string()
  const problem = name === undefined ? undefined : fieldNameProblem(name)
  if (problem !== undefined) field.at('sessionName').problem(problem)
  const absoluteTimeoutMs = field.at('absoluteTimeout').durationMs()
  if (lifetime === 'Permanent' && absoluteTimeoutMs === undefined)
    field.at('absoluteTimeout').problem('is required for a permanent cookie')
  return {
    kind: type === 'Cookie' ? 'cookie' : 'header',
    name,
    absoluteTimeoutMs,
    idleTimeoutMs: field.at('idleTimeout').durationMs(),
    permanent: type === 'Cookie' && lifetime === 'Permanent',
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
    backends: field
      .at('backendRefs')
      .list()
      .map((entry) => readBackend(entry, namespace)),
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

export function convertHttpRoute(
  object: FieldReader,
  { key, namespace, name, createdMs }: ObjectHead,
): Change {
  const spec = object.at('spec')
  const listed = spec.at('rules')
  // The CRD's default is one rule for everything.
  const fields = listed.present ? listed.list() : [listed]
  const rules = fields.map((field) => readRule(field, namespace))
  rules.forEach((rule, r) => {
    if (rule.name !== undefined && rules.findIndex((other) => other.name === rule.name) !== r)
      fields[r]?.at('name').problem('is the name of another rule')
  })
  const parents = spec
    .at('parentRefs')
    .list()
    .flatMap((field) => readParent(field, namespace))
  return { kind: 'route', key, value: { namespace, name, parents, rules, createdMs } }
}
