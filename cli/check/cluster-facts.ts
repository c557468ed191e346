/** What is asked of a cluster, before anything is judged. */
import { parse } from 'yaml'
import { annotations } from '../../api/annotations.ts'
import {
  injectorName,
  proxyContainerName,
  trustBundleKey,
  trustBundleName,
  weftNamespace,
} from '../../api/deployment.ts'
import type { ApiReply, KubernetesApi } from '../../core/kubernetes/api-client.ts'
import { statusMessage } from '../../core/kubernetes/api-failure.ts'
import type { Manifest } from '../../deploy/manifests/install-options.ts'
import { crdFiles, crdText, installManifests } from '../../deploy/manifests/manifests.ts'
import type { Pod } from '../../injector/pod.ts'
import { objectPath } from './api-paths.ts'

/** What of each object counts here. */
export type PodObject = Pod & {
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly status?: {
    readonly phase?: string
    readonly containerStatuses?: readonly ContainerStatus[]
    readonly initContainerStatuses?: readonly ContainerStatus[]
  }
}
type ContainerStatus = { readonly name: string; readonly ready: boolean }
export type NamespaceObject = {
  readonly metadata: {
    readonly name: string
    readonly annotations?: Readonly<Record<string, string>>
    readonly labels?: Readonly<Record<string, string>>
  }
}
export type DeploymentObject = {
  readonly spec: { readonly replicas?: number }
  readonly status?: { readonly readyReplicas?: number }
}

export type Lookup = {
  readonly manifest: Manifest
  readonly reply: ApiReply
}

export type ClusterFacts = {
  readonly installed: readonly Lookup[]
  /** PEM; undefined: there is none. */
  readonly trustBundle: string | undefined
  /** Of our webhook, PEM; undefined: it is not registered. */
  readonly webhookBundle: string | undefined
  /** What became of a pod that was only tried; undefined: the API server cannot be asked. */
  readonly trial:
    | { readonly status: number; readonly message: string; readonly injected: boolean }
    | undefined
  readonly namespaces: readonly NamespaceObject[]
  readonly pods: readonly PodObject[]
}

const anyOptions = {
  image: 'weft',
  imagePullPolicy: 'IfNotPresent',
  trustDomain: 'cluster.local',
  interception: 'init',
  ha: false,
} as const

/** Everything that `weft install` makes. */
export function expectedObjects(): readonly Manifest[] {
  return [...crdFiles().map((file) => parse(crdText(file)) as Manifest), ...installManifests(anyOptions)]
}

type List<T> = { readonly items: readonly T[]; readonly metadata?: { readonly continue?: string } }

async function list<T>(api: KubernetesApi, path: string): Promise<readonly T[]> {
  const found: T[] = []
  let next = ''
  do {
    const { status, body } = await api.request('GET', `${path}?limit=500${next}`)
    if (status !== 200) return found
    const { items, metadata } = body as List<T>
    found.push(...items)
    next = metadata?.continue ? `&continue=${encodeURIComponent(metadata.continue)}` : ''
  } while (next !== '')
  return found
}

/** The API server asks the webhook about it, and then forgets it. */
async function tryPod(api: KubernetesApi): Promise<ClusterFacts['trial']> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'weft-check-', annotations: { [annotations.inject]: 'enabled' } },
    spec: { containers: [{ name: 'check', image: 'check' }] },
  }
  const reply = await api.request('POST', '/api/v1/namespaces/default/pods?dryRun=All', pod)
  const { spec } = (reply.body ?? {}) as Partial<PodObject>
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]
  return {
    status: reply.status,
    message: statusMessage(reply.body) ?? '',
    injected: containers.some(({ name }) => name === proxyContainerName),
  }
}

type Webhooks = { readonly webhooks?: readonly { readonly clientConfig?: { readonly caBundle?: string } }[] }

/** Rejects with KUBERNETES_UNREACHABLE. */
export async function gatherCluster(api: KubernetesApi): Promise<ClusterFacts> {
  const installed: Lookup[] = []
  for (const manifest of expectedObjects())
    installed.push({ manifest, reply: await api.request('GET', objectPath(manifest)) })
  const bodyOf = (kind: string, name: string): unknown => {
    const found = installed.find(({ manifest }) => manifest.kind === kind && manifest.metadata.name === name)
    return found?.reply.status === 200 ? found.reply.body : undefined
  }
  const bundle = bodyOf('ConfigMap', trustBundleName) as
    | { readonly data?: Readonly<Record<string, string>> }
    | undefined
  const webhook = bodyOf('MutatingWebhookConfiguration', injectorName) as Webhooks | undefined
  return {
    installed,
    trustBundle: bundle?.data?.[trustBundleKey],
    webhookBundle:
      webhook === undefined
        ? undefined
        : Buffer.from(webhook.webhooks?.[0]?.clientConfig?.caBundle ?? '', 'base64').toString(),
    trial: webhook === undefined ? undefined : await tryPod(api),
    namespaces: await list<NamespaceObject>(api, '/api/v1/namespaces'),
    pods: (await list<PodObject>(api, '/api/v1/pods')).filter(
      ({ metadata }) => metadata.namespace !== weftNamespace,
    ),
  }
}
