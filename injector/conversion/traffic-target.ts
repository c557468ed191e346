/**
 * TrafficTarget: its fields stand beside `metadata` in v1alpha1, where rules are called `specs`, and in `spec` later. The
 * destination's port went with v1alpha3; an annotation keeps it, as without it more would be allowed than was meant.
 * IdentityBindings came with v1alpha4; before, their names say what they are (`api/smi.ts`).
 */
import { conversionAnnotations } from '../../api/annotations.ts'
import { bindingOfName, nameOfBinding } from '../../api/smi.ts'
import { type Fields, fieldsOf } from '../json-fields.ts'
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

function olderIdentity(identity: unknown): unknown {
  const { kind, group, name, ...rest } = fieldsOf(identity)
  if (kind !== 'IdentityBinding' || typeof name !== 'string') return identity
  const named = nameOfBinding(name, typeof group === 'string' ? group : undefined)
  return { ...rest, kind: 'ServiceAccount', name: named }
}

function newerIdentity(identity: unknown): unknown {
  const { kind, name } = fieldsOf(identity)
  const binding = kind === 'ServiceAccount' && typeof name === 'string' ? bindingOfName(name) : undefined
  if (binding === undefined) return identity
  return having(
    { ...fieldsOf(identity), kind: 'IdentityBinding', name: binding.name },
    'group',
    binding.group,
  )
}

function withIdentities(object: SmiObject, change: (identity: unknown) => unknown): SmiObject {
  const spec = object['spec']
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) return object
  const { destination, sources } = spec as Fields
  const changed = having({ ...spec }, 'destination', change(destination))
  return { ...object, spec: Array.isArray(sources) ? { ...changed, sources: sources.map(change) } : changed }
}

export const trafficTargetConversion: Conversion = {
  up(object, from) {
    const nested = withIdentities(from === 'v1alpha1' ? nest(object) : object, newerIdentity)
    const { port } = fieldsOf(fieldsOf(nested['spec'])['destination'])
    if (!isBefore(from, 'v1alpha3')) return nested
    return keeping(port === undefined ? nested : withPort(nested, undefined), portKept, port)
  },
  down(newest, to) {
    const object = to === 'v1alpha4' ? newest : withIdentities(newest, olderIdentity)
    if (!isBefore(to, 'v1alpha3')) return object
    const port = kept(object, portKept)
    const written = to === 'v1alpha1' ? port : numberOf(port)
    const older = port === undefined ? object : keeping(withPort(object, written), portKept, undefined)
    return to === 'v1alpha1' ? flatten(older) : older
  },
}
