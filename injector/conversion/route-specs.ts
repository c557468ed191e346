/**
 * HTTPRouteGroup and TCPRoute: their fields stand beside `metadata` up to v1alpha2 and in `spec` later. Headers came with
 * v1alpha2, ports with v1alpha4; annotations keep them where there is no place for them.
 */
import { conversionAnnotations } from '../../api/annotations.ts'
import { fieldsOf, listOf } from '../json-fields.ts'
import { type Conversion, having, isBefore, kept, keeping, type SmiObject, without } from './smi-object.ts'

const { routeHeaders: headersKept, routePorts: portsKept } = conversionAnnotations

function mapMatches(object: SmiObject, map: (match: SmiObject) => SmiObject): SmiObject {
  const spec = fieldsOf(object['spec'])
  return {
    ...object,
    spec: { ...spec, matches: listOf(spec['matches']).map((match) => map(fieldsOf(match))) },
  }
}

/** By the names of the matches, of which there is one each. */
function headersOf(object: SmiObject): SmiObject | undefined {
  const named = listOf(fieldsOf(object['spec'])['matches'])
    .map(fieldsOf)
    .filter(({ headers }) => headers !== undefined)
    .map(({ name, headers }) => [String(name), headers] as const)
  return named.length === 0 ? undefined : Object.fromEntries(named)
}

function withoutHeaders(object: SmiObject): SmiObject {
  const headers = headersOf(object)
  if (headers === undefined) return object
  return keeping(
    mapMatches(object, (match) => without(match, 'headers')),
    headersKept,
    headers,
  )
}

function withHeaders(object: SmiObject): SmiObject {
  const headers = new Map(Object.entries(fieldsOf(kept(object, headersKept))))
  if (headers.size === 0) return object
  return keeping(
    mapMatches(object, (match) => having(match, 'headers', headers.get(String(match['name'])))),
    headersKept,
    undefined,
  )
}

export const httpRouteGroupConversion: Conversion = {
  up(object, from) {
    if (!isBefore(from, 'v1alpha3')) return object
    const nested = { ...without(object, 'matches'), spec: { matches: listOf(object['matches']) } }
    return from === 'v1alpha1' ? withHeaders(nested) : nested
  },
  down(object, to) {
    if (!isBefore(to, 'v1alpha3')) return object
    const older = to === 'v1alpha1' ? withoutHeaders(object) : object
    return { ...without(older, 'spec'), matches: listOf(fieldsOf(older['spec'])['matches']) }
  },
}

export const tcpRouteConversion: Conversion = {
  up(object, from) {
    if (from === 'v1alpha4') return object
    const ports = kept(object, portsKept)
    const matches = ports === undefined ? undefined : { ports }
    return keeping({ ...object, spec: having({}, 'matches', matches) }, portsKept, undefined)
  },
  down(object, to) {
    if (to === 'v1alpha4') return object
    const { ports } = fieldsOf(fieldsOf(object['spec'])['matches'])
    const older = ports === undefined ? object : keeping(object, portsKept, ports)
    return to === 'v1alpha3' ? { ...older, spec: {} } : without(older, 'spec')
  },
}
