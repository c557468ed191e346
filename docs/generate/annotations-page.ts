/** Annotations -> docs/reference/annotations.md. */
import { annotationHelp } from '../../api/annotation-help.ts'
import { annotations, trafficAnnotations } from '../../api/annotations.ts'
import { page, table } from './markdown.ts'

function rows(names: Partial<Record<keyof typeof annotationHelp, string>>): readonly (readonly string[])[] {
  return Object.entries(names).map(([key, name]) => {
    const { on, value, help } = annotationHelp[key as keyof typeof annotationHelp]
    return [`\`${name}\``, on, value, help]
  })
}

const head = ['annotation', 'on', 'value', 'what it does']

export function annotationsPage(): string {
  return page(
    'Annotations',
    'What is written on Kubernetes objects, in a cluster or in the folder of the control plane. A value that does not read is reported with file, line and field (`RESOURCE_INVALID`), and the last good content stays.',
    `## Workloads\n\n${table(head, rows(annotations))}`,
    '## Traffic to a Service\n\nA TrafficPolicy for the same Service beats them, section by section.',
    table(head, rows(trafficAnnotations)),
  )
}
