/**
 * TrafficTarget: its fields stand beside `metadata` in v1alpha1, where rules are called `specs`, and in `spec` later. The
 * destination's port went with v1alpha3; an annotation keeps it, as without it more would be allowed than was meant.
 */
import { conversionAnnotations } from '../../api/annotations.ts'
import { fieldsOf } from '../json-fields.ts'
import { type Conversion, having, isBefore, kept, keeping, type SmiObject, without } from './smi-object.ts'

const { destinationPort: portKept } = conversionAnnotations

function nest(object: SmiObject): SmiObject {
  const { destination, specs, sources, ...rest } = object
  return {
    ...rest,
    spec: having(having(having({}, 'destination', destination), 'rules', specs), 'sources', sources),
  }
}

function flatten(object: SmiObject): SmiObject {
  const { destination, rules, sources } = fieldsOf(object['spec'])
  const flat = having(having(without(object, 'spec'), 'destination', destination), 'specs', rules)
  return having(flat, 'sources', sources)
}

function withPort(object: SmiObject, port: unknown): SmiObject {
  const spec = fieldsOf(object['spec'])
  return { ...object, spec: { ...spec, destination: having(fieldsOf(spec['destination']), 'port', port) } }
}

/** Clients of v1alpha1 write ports as text, too. */
function numberOf(port: unknown): unknown {
  return typeof port === 'string' && /^[0-9]{1,5}$/.test(port) ? Number(port) : port
}

export const trafficTargetConversion: Conversion = {
  up(object, from) {
    const nested = from === 'v1alpha1' ? nest(object) : object
    const { port } = fieldsOf(fieldsOf(nested['spec'])['destination'])
    if (!isBefore(from, 'v1alpha3')) return nested
    return keeping(port === undefined ? nested : withPort(nested, undefined), portKept, port)
  },
  down(object, to) {
    if (!isBefore(to, 'v1alpha3')) return object
    const port = kept(object, portKept)
    const written = to === 'v1alpha1' ? port : numberOf(port)
    const older = port === undefined ? object : keeping(withPort(object, written), portKept, undefined)
    return to === 'v1alpha1' ? flatten(older) : older
  },
}
