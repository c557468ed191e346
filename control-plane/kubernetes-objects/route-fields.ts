/** What routes of every kind have in common: parents, backends, sessions, names of rules. */
import { fieldNameProblem } from '../../core/http-field.ts'
import { compileRegex } from '../../core/linear-regex.ts'
import type { TextMatch } from '../model/objects.ts'
import type {
  Route,
  RouteBackend,
  RouteKind,
  RouteParent,
  RouteRule,
  SessionPersistence,
} from '../model/route.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'
import { readFilters, readReference } from './http-route-filters.ts'
import { readRouteAnnotations } from './traffic-annotations.ts'

const maxWeight = 1_000_000

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

export function checkRegex(field: FieldReader, regex: string): void {
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
export function firstOfEach(matches: readonly TextMatch[]): readonly TextMatch[] {
  return matches.filter(({ name }, i) => matches.findIndex((other) => other.name === name) === i)
}

export function readHeaderMatches(field: FieldReader): readonly TextMatch[] {
  const headers = field.list()
  for (const header of headers) {
    const name = header.at('name')
    const problem = fieldNameProblem(typeof name.raw === 'string' ? name.raw : '')
    // Any field may be looked at, only the grammar counts.
    if (problem?.startsWith('must be') === true) name.problem(problem)
  }
  return firstOfEach(headers.map((entry) => readTextMatch(entry, true)))
}

export function readBackends(field: FieldReader, namespace: string): readonly RouteBackend[] {
  return field.list().map((entry) => ({
    ...readReference(entry, namespace),
    weight: entry.at('weight').integer(0, maxWeight) ?? 1,
    filters: readFilters(entry.at('filters'), namespace),
  }))
}

export function readSession(field: FieldReader): SessionPersistence | undefined {
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

/** A route of one kind; `readRule` reads what its rules have of their own. */
export function readRoute(
  kind: RouteKind,
  object: FieldReader,
  { namespace, name, createdMs }: ObjectHead,
  readRule: (field: FieldReader, namespace: string) => RouteRule,
): Route {
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
  const traffic = readRouteAnnotations(object.at('metadata').at('annotations'))
  return { kind, namespace, name, parents, rules, traffic, createdMs }
}
