/** The ports of a Pod that are reached past its sidecar: those it was told to skip, and the sidecar's own pages. */
import { initContainerName, proxyContainerName } from '../../api/deployment.ts'
import { initAnnotations, podAnnotations } from '../../api/sidecar-annotations.ts'
import { parsePortRanges, type PortRange } from '../../core/port-ranges.ts'
import type { BypassedPorts } from '../model/objects.ts'
import type { FieldReader } from './field-reader.ts'

const skipped = initAnnotations.skipInboundPorts
const admin = podAnnotations.adminPort

type Found = { readonly field: FieldReader; readonly text: string }

function containers(object: FieldReader, name: string): readonly FieldReader[] {
  return ['initContainers', 'containers']
    .flatMap((list) => object.at('spec').at(list).list())
    .filter((container) => container.at('name').raw === name)
}

/** What a container of ours is told, in which its Namespace's annotations are included. */
function flag(object: FieldReader, container: string, name: string): Found | undefined {
  for (const field of containers(object, container).flatMap((entry) => entry.at('args').list())) {
    const text = field.string()
    if (text?.startsWith(`${name}=`) === true) return { field, text: text.slice(name.length + 1) }
  }
  return undefined
}

function annotation(object: FieldReader, name: string): Found | undefined {
  const field = object.at('metadata').at('annotations')
  const text = field.strings()[name]
  return text === undefined ? undefined : { field: field.at(name), text }
}

/** `[::]:4191` -> `4191` */
function portAlone(found: Found | undefined): Found | undefined {
  return found && { ...found, text: found.text.slice(found.text.lastIndexOf(':') + 1) }
}

function portsOf(found: Found | undefined): readonly PortRange[] | undefined {
  if (found === undefined) return undefined
  const ranges = parsePortRanges(found.text)
  if (ranges === undefined) found.field.problem('must be ports and ranges, as 3306,7000-7010')
  return ranges
}

/** Of a Namespace, or of a Pod. What the latter leaves open is as the former says. */
export function readBypassedPorts(object: FieldReader): BypassedPorts {
  const init = (name: string): Found | undefined => flag(object, initContainerName, name)
  const said = portsOf(init(skipped.flag) ?? annotation(object, skipped.env))
  // With its sidecar a pod has got all that was said then; what its Namespace says now is for the next ones.
  const isInjected = containers(object, proxyContainerName).length > 0
  return {
    skipped: said ?? (isInjected ? [] : undefined),
    admin: portsOf(
      init(admin.flag) ??
        portAlone(flag(object, proxyContainerName, '--admin-address')) ??
        annotation(object, admin.env),
    ),
  }
}
