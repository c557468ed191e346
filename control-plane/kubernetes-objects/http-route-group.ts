/** The traffic specs of SMI: HTTPRouteGroup and TCPRoute, in the four versions that there are. */
import { compileRegex } from '../../core/linear-regex.ts'
import type { Change, RouteGroup, TextMatch } from '../model/objects.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'

const methodForm = /^[A-Za-z]+$/

function readRegex(field: FieldReader): string | undefined {
  const text = field.string()
  if (text === undefined) return undefined
  const compiled = compileRegex(text)
  if (!compiled.ok) field.problem(compiled.problem)
  return text
}

function readMethods(field: FieldReader): readonly string[] {
  const methods = field.list().map((entry) => {
    const method = entry.requiredString()
    if (method !== '*' && !methodForm.test(method)) entry.problem("must be a method such as GET, or '*'")
    return method.toUpperCase()
  })
  return methods.includes('*') ? [] : [...new Set(methods)]
}

/** A map of names to regexes; the documents of the versions write it as a list of maps, too. */
function readHeaders(field: FieldReader): readonly TextMatch[] {
  const maps = Array.isArray(field.raw) ? field.list() : [field]
  return maps.flatMap((map) =>
    Object.keys(map.strings()).map((name) => ({
      name: name.toLowerCase(),
      value: readRegex(map.at(name)) ?? '',
      regex: true,
    })),
  )
}

/** From v1alpha3 on the fields are in `spec`; a cluster whose definition does not convert hands out what was written. */
function body(object: FieldReader): FieldReader {
  const version = object.at('apiVersion').string() ?? ''
  const [flat, nested] = [object.at('matches').present, object.at('spec').at('matches').present]
  if (flat !== nested) return flat ? object : object.at('spec')
  return version.endsWith('/v1alpha1') || version.endsWith('/v1alpha2') ? object : object.at('spec')
}

export function convertHttpRouteGroup(object: FieldReader, { key, namespace, name }: ObjectHead): Change {
  const field = body(object).at('matches')
  const matches: RouteGroup['matches'] = field.list().map((entry) => ({
    name: entry.at('name').requiredString(),
    pathRegex: readRegex(entry.at('pathRegex')),
    methods: readMethods(entry.at('methods')),
    headers: readHeaders(entry.at('headers')),
  }))
  if (matches.length === 0) field.problem('must hold a match')
  return { kind: 'routeGroup', key, value: { namespace, name, matches } }
}

/** No ports: all of a Service's. */
export function convertSmiTcpRoute(object: FieldReader, { key, namespace, name }: ObjectHead): Change {
  const ports = body(object)
    .at('matches')
    .at('ports')
    .list()
    .flatMap((entry) => entry.port() ?? [])
  return { kind: 'tcpRoute', key, value: { namespace, name, ports } }
}
