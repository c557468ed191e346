/** The ports of a Pod that are reached past its sidecar: those it was told to skip, and the sidecar's own pages. */
import { initContainerName } from '../../api/deployment.ts'
import { ports } from '../../api/ports.ts'
import { initAnnotations, podAnnotations } from '../../api/sidecar-annotations.ts'
import { parsePortRanges, type PortRange } from '../../core/port-ranges.ts'
import type { FieldReader } from './field-reader.ts'

const skipped = initAnnotations.skipInboundPorts
const admin = podAnnotations.adminPort

/** What `weft init` is told: its Namespace's annotations too, which the Pod does not repeat. */
function initFlag(object: FieldReader, flag: string): { field: FieldReader; text: string } | undefined {
  for (const container of object.at('spec').at('initContainers').list()) {
    if (container.at('name').raw !== initContainerName) continue
    for (const field of container.at('args').list()) {
      const text = field.string()
      if (text?.startsWith(`${flag}=`) === true) return { field, text: text.slice(flag.length + 1) }
    }
  }
  return undefined
}

function annotation(object: FieldReader, name: string): { field: FieldReader; text: string } | undefined {
  const field = object.at('metadata').at('annotations')
  const text = field.strings()[name]
  return text === undefined ? undefined : { field: field.at(name), text }
}

function readPorts(object: FieldReader, { flag, env }: typeof skipped | typeof admin): readonly PortRange[] {
  const found = initFlag(object, flag) ?? annotation(object, env)
  if (found === undefined) return []
  const ranges = parsePortRanges(found.text)
  if (ranges === undefined) found.field.problem('must be ports and ranges, as 3306,7000-7010')
  return ranges ?? []
}

export function readBypassedPorts(object: FieldReader): readonly PortRange[] {
  const own = readPorts(object, admin)
  const { sidecarAdmin } = ports
  return [
    ...readPorts(object, skipped),
    ...(own.length > 0 ? own : [{ from: sidecarAdmin, to: sidecarAdmin }]),
  ]
}
