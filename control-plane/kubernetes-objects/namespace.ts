import { annotations } from '../../api/annotations.ts'
import type { Change } from '../model/objects.ts'
import { readBypassedPorts } from './bypassed-ports.ts'
import type { ObjectHead } from './convert.ts'
import type { FieldReader } from './field-reader.ts'
import { readInboundPolicy } from './inbound-policy.ts'
import { readOpaquePorts } from './opaque-ports.ts'

/** `weft.dev/inject` of an object, as annotation or label; the annotation wins. */
export function readInject(object: FieldReader): boolean | undefined {
  const metadata = object.at('metadata')
  for (const field of ['annotations', 'labels']) {
    const value = metadata.at(field).strings()[annotations.inject]
    if (value === 'enabled') return true
    if (value === 'disabled') return false
    if (value !== undefined)
      metadata.at(field).at(annotations.inject).problem("must be 'enabled' or 'disabled'")
  }
  return undefined
}

export function convertNamespace(object: FieldReader, { key, name }: ObjectHead): Change {
  const value = {
    name,
    inject: readInject(object),
    opaquePorts: readOpaquePorts(object),
    bypassedPorts: readBypassedPorts(object),
    inboundPolicy: readInboundPolicy(object),
  }
  return { kind: 'namespace', key, value }
}
