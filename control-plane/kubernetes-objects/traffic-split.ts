import type { Change } from '../model/objects.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'
import { parseQuantityMilli } from '../../core/kubernetes/quantity.ts'

/** A weight in any of the forms that the four versions and their clients write: 90, "90", "500m". */
function readWeight(field: FieldReader): number {
  if (!field.present) {
    field.problem('is required')
    return 0
  }
  const { raw } = field
  const text = typeof raw === 'number' || typeof raw === 'string' ? String(raw) : ''
  const milli = parseQuantityMilli(text)
  if (milli === undefined)
    field.problem('must be a weight: a number of 0 or more, or a quantity such as 500m')
  return milli ?? 0
}

/** A Service of the split's own namespace; it may be written as clients write it, `catalog.shop.svc.cluster.local`. */
function readService(field: FieldReader, namespace: string): string {
  const [service = '', elsewhere] = field.requiredString().split('.')
  if (elsewhere !== undefined && elsewhere !== namespace)
    field.problem(`must be a Service of the split's own namespace '${namespace}'`)
  return service
}

/** The names of the HTTPRouteGroups. */
function readMatches(object: FieldReader): readonly string[] {
  const field = object.at('spec').at('matches')
  const version = object.at('apiVersion').string() ?? ''
  if (field.present && (version.endsWith('/v1alpha1') || version.endsWith('/v1alpha2')))
    field.problem('is there from v1alpha3 on')
  return field.list().map((entry) => {
    entry.at('kind').choice(['HTTPRouteGroup'])
    entry.at('apiGroup').choice(['specs.smi-spec.io'])
    return entry.at('name').requiredString()
  })
}

export function convertTrafficSplit(
  object: FieldReader,
  { key, namespace, name, createdMs }: ObjectHead,
): Change {
  const spec = object.at('spec')
  const backends = spec.at('backends').list()
  if (backends.length === 0) spec.at('backends').problem('must name a backend')
  const services = new Set<string>()
  const read = backends.map((backend) => {
    const field = backend.at('service')
    const service = readService(field, namespace)
    if (services.has(service)) field.problem(`'${service}' is named twice`)
    services.add(service)
    return { service, weightMilli: readWeight(backend.at('weight')) }
  })
  const apex = readService(spec.at('service'), namespace)
  const value = { namespace, name, apex, backends: read, matches: readMatches(object), createdMs }
  return { kind: 'split', key, value }
}
