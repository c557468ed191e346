/** A pod's volumes as folders: tokens from the TokenRequest API, ConfigMaps, fields of the pod, and empty ones. */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { ClusterApi } from './cluster-api.ts'
import { fieldOf } from './container-command.ts'
import type { Pod, Volume, VolumeSource } from './pod-manifest.ts'

type Files = readonly (readonly [name: string, text: string])[]

async function tokenOf(
  api: ClusterApi,
  { metadata: { namespace, name, uid }, spec }: Pod,
  { audience, expirationSeconds }: NonNullable<VolumeSource['serviceAccountToken']>,
): Promise<string> {
  const account = spec.serviceAccountName ?? 'default'
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      audiences: audience === undefined ? [] : [audience],
      expirationSeconds,
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
    },
  }
  const at = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`
  const { status } = await api.call<{ readonly status: { readonly token: string } }>('POST', at, body)
  return status.token
}

async function filesOf(api: ClusterApi, pod: Pod, podIp: string, source: VolumeSource): Promise<Files> {
  const { configMap, downwardAPI, serviceAccountToken } = source
  if (serviceAccountToken !== undefined)
    return [[serviceAccountToken.path, await tokenOf(api, pod, serviceAccountToken)]]
  if (downwardAPI !== undefined)
    return downwardAPI.items.map((item) => [item.path, fieldOf(pod, podIp, item.fieldRef.fieldPath)])
  if (configMap === undefined) return []
  const at = `/api/v1/namespaces/${pod.metadata.namespace}/configmaps/${configMap.name}`
  const { data = {} } = await api.call<{ readonly data?: Readonly<Record<string, string>> }>('GET', at)
  const items = configMap.items ?? Object.keys(data).map((key) => ({ key, path: key }))
  return items.map((item) => [item.path, data[item.key] ?? ''])
}

/** Makes the volume in `folder`. What is in it can be read by every container, and by the pod's group where it has one. */
export async function makeVolume(
  api: ClusterApi,
  pod: Pod,
  podIp: string,
  volume: Volume,
  folder: string,
): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const { fsGroup } = pod.spec.securityContext ?? {}
  for (const source of volume.projected?.sources ?? [volume])
    for (const [name, text] of await filesOf(api, pod, podIp, source)) {
      const file = path.join(folder, name)
      writeFileSync(file, text)
      if (fsGroup !== undefined) chownSync(file, 0, fsGroup)
      // As the kubelet gives tokens: to the group alone where there is one.
      chmodSync(file, fsGroup === undefined ? 0o644 : 0o640)
    }
  if (fsGroup !== undefined) chownSync(folder, 0, fsGroup)
  chmodSync(folder, fsGroup === undefined ? 0o777 : 0o2777)
}
