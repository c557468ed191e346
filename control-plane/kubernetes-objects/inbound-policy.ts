/** `config.weft.dev/default-inbound-policy` of a Pod or Namespace. */
import { inboundPolicies, type InboundPolicy } from '../../api/annotations.ts'
import { podAnnotations } from '../../api/sidecar-annotations.ts'
import type { FieldReader } from './field-reader.ts'

const { env: name } = podAnnotations.defaultInboundPolicy

/** undefined: the object does not say. */
export function readInboundPolicy(object: FieldReader): InboundPolicy | undefined {
  const field = object.at('metadata').at('annotations')
  const text = field.strings()[name]
  if (text === undefined) return undefined
  const policy = inboundPolicies.find((known) => known === text)
  if (policy === undefined) field.at(name).problem(`must be one of ${inboundPolicies.join(', ')}`)
  return policy
}
