/** ReferenceGrant, as far as it lets routes refer to Services. */
import type { Change } from '../model/objects.ts'
import { isRouteKind } from '../model/route.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'

const gateway = 'gateway.networking.k8s.io'

export function convertReferenceGrant(object: FieldReader, { key, namespace, name }: ObjectHead): Change {
  const spec = object.at('spec')
  const from = spec
    .at('from')
    .list()
    .flatMap((field) => {
      const group = field.at('group').requiredString()
      const kind = field.at('kind').requiredString()
      const source = field.at('namespace').requiredString()
      return group === gateway && isRouteKind(kind) ? [{ kind, namespace: source }] : []
    })
  const to = spec
    .at('to')
    .list()
    .flatMap((field) => {
      const group = field.at('group').string() ?? ''
      const kind = field.at('kind').requiredString()
      const service = field.at('name').string()
      return kind === 'Service' && (group === '' || group === 'core') ? [service] : []
    })
  const named = to.flatMap((service) => service ?? [])
  const services = named.length < to.length ? undefined : named
  return { kind: 'grant', key, value: { namespace, name, from, services } }
}
