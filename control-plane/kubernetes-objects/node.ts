import type { Change } from '../model/objects.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'

const zoneLabel = 'topology.kubernetes.io/zone'

export function convertNode(object: FieldReader, { key, name }: ObjectHead): Change {
  const zone = object.at('metadata').at('labels').strings()[zoneLabel] ?? ''
  return { kind: 'node', key, value: { name, zone } }
}
