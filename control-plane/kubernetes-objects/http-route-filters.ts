/** An HTTPRoute's filters, and what they refer to. What may end up in a message is checked here, with its path. */
import { fieldNameProblem, fieldValueProblem, hostProblem, pathProblem } from '../../core/http-field.ts'
import {
  type BackendReference,
  type Fraction,
  type HeaderField,
  type HeaderModifier,
  type PathModifier,
  type RedirectSettings,
  redirectStatuses,
  type RouteFilter,
} from '../model/route.ts'
import type { FieldReader } from './field-reader.ts'

export function readReference(field: FieldReader, namespace: string): BackendReference {
  const group = field.at('group').string() ?? ''
  const kind = field.at('kind').string() ?? 'Service'
  return {
    namespace: field.at('namespace').string() ?? namespace,
    service: field.at('name').requiredString(),
    port: field.at('port').port() ?? 0,
    unsupported: kind !== 'Service' || (group !== '' && group !== 'core'),
  }
}

function checked(field: FieldReader, problemOf: (text: string) => string | undefined): string | undefined {
  const text = field.string()
  const problem = text === undefined ? undefined : problemOf(text)
  if (problem !== undefined) field.problem(problem)
  return text
}

function readField(field: FieldReader): HeaderField {
  const name = checked(field.at('name'), fieldNameProblem)
  if (name === undefined) field.at('name').requiredString()
  const value = checked(field.at('value'), fieldValueProblem)
  if (value === undefined) field.at('value').requiredString()
  return { name: name ?? '', value: value ?? '' }
}

/** Of entries for one header the first counts. */
function firstOfEach<T extends HeaderField>(fields: readonly T[]): readonly T[] {
  return fields.filter(
    ({ name }, i) => fields.findIndex((other) => other.name.toLowerCase() === name.toLowerCase()) === i,
  )
}

function readModifier(field: FieldReader): HeaderModifier {
  const modifier = {
    set: firstOfEach(field.at('set').list().map(readField)),
    add: firstOfEach(field.at('add').list().map(readField)),
    remove: field
      .at('remove')
      .list()
      .flatMap((entry) => checked(entry, fieldNameProblem) ?? []),
  }
  const names = [...modifier.set, ...modifier.add].map(({ name }) => name).concat(modifier.remove)
  const lower = names.map((name) => name.toLowerCase())
  const twice = lower.find((name, i) => lower.indexOf(name) !== i)
  if (twice !== undefined) field.problem(`does more than one thing with '${twice}'`)
  return modifier
}

function readPathModifier(field: FieldReader): PathModifier | undefined {
  if (!field.present) return undefined
  const type = field.at('type').choice(['ReplaceFullPath', 'ReplacePrefixMatch'])
  if (type === undefined) {
    if (!field.at('type').present) field.at('type').problem('is required')
    return undefined
  }
  const named = field.at(type === 'ReplaceFullPath' ? 'replaceFullPath' : 'replacePrefixMatch')
  const value = named.requiredString()
  // An empty prefix takes the matched one away.
  const problem = value === '' ? undefined : pathProblem(value)
  if (problem !== undefined) named.problem(problem)
  return type === 'ReplaceFullPath'
    ? { kind: 'full', value: value === '' ? '/' : value }
    : { kind: 'prefix', value }
}

function readRedirect(field: FieldReader): RedirectSettings {
  const code = field.at('statusCode')
  const status = redirectStatuses.find((known) => known === (code.raw ?? 302))
  if (status === undefined) code.problem(`must be one of ${redirectStatuses.join(', ')}`)
  return {
    scheme: field.at('scheme').choice(['http', 'https']),
    host: checked(field.at('hostname'), hostProblem),
    port: field.at('port').port(),
    path: readPathModifier(field.at('path')),
    status: status ?? 302,
  }
}

function readFraction(field: FieldReader): Fraction {
  const percent = field.at('percent').integer(0, 100)
  const fraction = field.at('fraction')
  if (!fraction.present) return { numerator: percent ?? 100, denominator: 100 }
  if (percent !== undefined) field.problem('has both percent and fraction')
  const denominator = fraction.at('denominator').integer(1, 2 ** 31 - 1) ?? 100
  const numerator = fraction.at('numerator').integer(0, 2 ** 31 - 1)
  if (numerator === undefined) fraction.at('numerator').problem('is required')
  else if (numerator > denominator)
    fraction.at('numerator').problem('must not be larger than the denominator')
  return { numerator: numerator ?? 0, denominator }
}

function readFilter(field: FieldReader, namespace: string): RouteFilter {
  const type = field.at('type').requiredString()
  const settings = (name: string): FieldReader => {
    const found = field.at(name)
    if (!found.present) found.problem('is required')
    return found
  }
  switch (type) {
    case 'RequestHeaderModifier':
      return { kind: 'requestHeaders', modifier: readModifier(settings('requestHeaderModifier')) }
    case 'ResponseHeaderModifier':
      return { kind: 'responseHeaders', modifier: readModifier(settings('responseHeaderModifier')) }
    case 'RequestRedirect':
      return { kind: 'redirect', redirect: readRedirect(settings('requestRedirect')) }
    case 'URLRewrite': {
      const rewrite = settings('urlRewrite')
      return {
        kind: 'rewrite',
        host: checked(rewrite.at('hostname'), hostProblem),
        path: readPathModifier(rewrite.at('path')),
      }
    }
    case 'RequestMirror': {
      const mirror = settings('requestMirror')
      return {
        kind: 'mirror',
        to: readReference(mirror.at('backendRef'), namespace),
        fraction: readFraction(mirror),
      }
    }
    default:
      return { kind: 'unsupported', type }
  }
}

/** Kinds that may stand in a list more than once. */
const repeatable: ReadonlySet<RouteFilter['kind']> = new Set(['mirror', 'unsupported'])

/** The filters of a rule or of a backend, in their order. */
export function readFilters(field: FieldReader, namespace: string): readonly RouteFilter[] {
  const entries = field.list()
  const filters = entries.map((entry) => readFilter(entry, namespace))
  filters.forEach(({ kind }, i) => {
    if (!repeatable.has(kind) && filters.findIndex((other) => other.kind === kind) !== i)
      entries[i]?.problem('repeats a filter that may be there only once')
  })
  const kinds = new Set(filters.map(({ kind }) => kind))
  if (kinds.has('redirect') && kinds.has('rewrite'))
    field.problem('holds both RequestRedirect and URLRewrite')
  return filters
}

/** Whether some filter replaces the prefix that was matched. */
export function replacesPrefix(filters: readonly RouteFilter[]): boolean {
  return filters.some(
    (filter) =>
      (filter.kind === 'rewrite' && filter.path?.kind === 'prefix') ||
      (filter.kind === 'redirect' && filter.redirect.path?.kind === 'prefix'),
  )
}
