/** `config.weft.dev/opaque-ports` of a Service, Pod or Namespace. */
import { annotations } from '../../api/annotations.ts'
import { parsePortRanges, type PortRange } from '../../core/port-ranges.ts'
import type { FieldReader } from './field-reader.ts'

/** undefined: the object does not say. */
export function readOpaquePorts(object: FieldReader): readonly PortRange[] | undefined {
  const field = object.at('metadata').at('annotations')
  const text = field.strings()[annotations.opaquePorts]
  if (text === undefined) return undefined
  const ranges = parsePortRanges(text)
  if (ranges === undefined)
    field.at(annotations.opaquePorts).problem('must be ports and ranges, as 3306,7000-7010')
  return ranges
}
