/** Where the API server has objects. Pure. */
import type { Manifest } from '../../deploy/manifests/install-options.ts'

type Named = Pick<Manifest, 'apiVersion' | 'kind' | 'metadata'>

export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] as string) : ''
}

/** `NetworkPolicy` is `networkpolicies`: all that we install follows English. */
export function resourceOf(kind: string): string {
  const lower = kind.toLowerCase()
  return lower.endsWith('y') ? `${lower.slice(0, -1)}ies` : `${lower}s`
}

export function objectPath({ apiVersion, kind, metadata }: Named): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const namespace = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`
  return `${root}${namespace}/${resourceOf(kind)}/${metadata.name}`
}
