/** Annotations -> docs/reference/annotations.md. */
import { annotationHelp } from '../../api/annotation-help.ts'
import { annotations, trafficAnnotations } from '../../api/annotations.ts'
import { initAnnotations, podAnnotations, proxyAnnotations } from '../../api/sidecar-annotations.ts'
import type { Setting } from '../../core/settings.ts'
import { page, table } from './markdown.ts'

function rows(names: Partial<Record<keyof typeof annotationHelp, string>>): readonly (readonly string[])[] {
  return Object.entries(names).map(([key, name]) => {
    const { on, value, help } = annotationHelp[key as keyof typeof annotationHelp]
    return [`\`${name}\``, on, value, help]
  })
}

function sidecarRows(): readonly (readonly string[])[] {
  return Object.values<Setting>({ ...podAnnotations, ...proxyAnnotations, ...initAnnotations }).map(
    ({ env, kind, choices, default: unset, help }) => {
      const value = choices?.map((choice) => `\`${choice}\``).join(', ') ?? kind.replace(/Ms$/, '')
      return [`\`${env}\``, value, unset === undefined ? '' : `\`${unset}\``, help]
    },
  )
}

const head = ['annotation', 'on', 'value', 'what it does']

export function annotationsPage(): string {
  return page(
    'Annotations',
    'What is written on Kubernetes objects, in a cluster or in the folder of the control plane. A value that does not read is reported with file, line and field (`RESOURCE_INVALID`), and the last good content stays.',
    `## Workloads\n\n${table(head, rows(annotations))}`,
    '## The sidecar of a Pod\n\nOn a Pod, or on a Namespace for all of its Pods; the Pod wins. The injector reads them when the Pod is made. A value that does not read refuses the Pod, and says so.',
    table(['annotation', 'value', 'unless set', 'what it does'], sidecarRows()),
    '## Traffic to a Service\n\nA TrafficPolicy for the same Service beats them, section by section.',
    table(head, rows(trafficAnnotations)),
  )
}
