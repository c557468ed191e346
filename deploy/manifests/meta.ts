/** Names and labels of weft's own objects. */
import { weftNamespace } from '../../api/deployment.ts'
import type { Manifest } from './install-options.ts'

export const partOfWeft = { 'app.kubernetes.io/part-of': 'weft' } as const

export function selectorOf(component: string): Readonly<Record<string, string>> {
  return { 'app.kubernetes.io/name': component, ...partOfWeft }
}

export function clusterWide(
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Manifest['metadata'] {
  return { name, labels: { ...partOfWeft, ...labels } }
}

export function inWeft(name: string, labels: Readonly<Record<string, string>> = {}): Manifest['metadata'] {
  return { ...clusterWide(name, labels), namespace: weftNamespace }
}
