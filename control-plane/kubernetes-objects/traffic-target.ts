/** SMI's TrafficTarget, in the four versions that there are -> the model. */
import { conversionAnnotations } from '../../api/annotations.ts'
import { bindingOfName } from '../../api/smi.ts'
import type { IdentityReference, TrafficTarget } from '../model/access-policy.ts'
import type { Change } from '../model/objects.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'

function readIdentity(field: FieldReader, own: string): IdentityReference {
  const kind = field.at('kind').requiredString()
  const name = field.at('name').requiredString()
  const namespace = field.at('namespace').string() ?? own
  // As the versions before v1alpha4 have it.
  const binding = kind === 'ServiceAccount' ? bindingOfName(name) : undefined
  return binding === undefined
    ? { kind, namespace, name }
    : { kind: 'IdentityBinding', namespace, name: binding.name }
}

function portOf(field: FieldReader, value: unknown): number | undefined {
  const port = typeof value === 'string' && /^[0-9]{1,5}$/.test(value) ? Number(value) : value
  if (typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535) return port
  field.problem('must be a port, 1 to 65535')
  return undefined
}

/** In the destination of the first two versions; an annotation keeps it in the others. */
function readPort(object: FieldReader, destination: FieldReader): number | undefined {
  const field = destination.at('port')
  if (field.present) return portOf(field, field.raw)
  const kept = object.at('metadata').at('annotations').at(conversionAnnotations.destinationPort)
  if (!kept.present) return undefined
  // As JSON: a number, or the text that was written.
  return portOf(kept, typeof kept.raw === 'string' ? kept.raw.replace(/^"|"$/g, '') : kept.raw)
}

function readRule(field: FieldReader): TrafficTarget['rules'] {
  const kind = field.at('kind').choice(['HTTPRouteGroup', 'TCPRoute', 'UDPRoute'])
  const matches = field
    .at('matches')
    .list()
    .map((entry) => entry.requiredString())
  if (kind === undefined) {
    if (!field.at('kind').present) field.at('kind').problem('is required')
    return []
  }
  return [
    { kind, name: field.at('name').requiredString(), matches: matches.length === 0 ? undefined : matches },
  ]
}

export function convertTrafficTarget(object: FieldReader, { key, namespace, name }: ObjectHead): Change {
  const flat = object.at('destination').present
  const body = flat ? object : object.at('spec')
  const destination = body.at('destination')
  if (!destination.present) destination.problem('is required')
  const value: TrafficTarget = {
    namespace,
    name,
    destination: readIdentity(destination, namespace),
    port: readPort(object, destination),
    rules: body
      .at(body.at('specs').present ? 'specs' : 'rules')
      .list()
      .flatMap(readRule),
    sources: body
      .at('sources')
      .list()
      .map((field) => readIdentity(field, namespace)),
  }
  return { kind: 'trafficTarget', key, value }
}
