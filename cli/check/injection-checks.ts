/** What a Namespace says of the sidecars of its pods, before a pod is made that would be refused. Pure. */
import { decide } from '../../injector/decide.ts'
import { readPodSettings } from '../../injector/pod-settings.ts'
import { type Check, failing, warning } from './check.ts'
import type { NamespaceObject } from './cluster-facts.ts'

const anyPod = { metadata: {}, spec: { containers: [] } }

function unknownAnnotations(what: string, names: readonly string[]): readonly Check[] {
  return names.map((name) =>
    warning(
      'data-plane',
      'ANNOTATION_UNKNOWN',
      `annotation ${name} of ${what} is not known, and does nothing`,
      'correct its name; docs/reference/annotations.md lists all',
    ),
  )
}

function settingsChecks(what: string, annotations: Readonly<Record<string, string>>): readonly Check[] {
  const read = readPodSettings(annotations, {})
  if (read.ok) return unknownAnnotations(what, read.unknown)
  return [
    failing(
      'data-plane',
      'ANNOTATION_INVALID',
      `no pod can be made in ${what}: ${read.problems.join('; ')}`,
      'correct the annotations named',
    ),
  ]
}

/** Annotations `config.weft.dev/*` of a pod that nobody reads. */
export function podAnnotationChecks(
  key: string,
  annotations: Readonly<Record<string, string>>,
): readonly Check[] {
  const read = readPodSettings({}, annotations)
  return read.ok ? unknownAnnotations(`pod ${key}`, read.unknown) : []
}

export function namespaceChecks({ metadata }: NamespaceObject): readonly Check[] {
  const { name, annotations = {}, labels = {} } = metadata
  const what = `namespace ${name}`
  const decision = decide(anyPod, { annotations, labels })
  switch (decision.kind) {
    case 'refuse':
      return [
        failing(
          'data-plane',
          'INJECTION_UNCLEAR',
          `no pod can be made in ${what}: ${decision.reason}`,
          "say 'enabled' or 'disabled'",
        ),
      ]
    case 'inject':
      return settingsChecks(what, annotations)
    case 'skip':
      return []
  }
}
