/** A mesh in a cluster: the control plane by the API server's proxy, sidecars, whose pages are on loopback, by kubectl. */
import type { SidecarFacts } from '../../api/diagnosis.ts'
import { controlPlaneName, weftNamespace } from '../../api/deployment.ts'
import { ports } from '../../api/ports.ts'
import { parseAddress } from '../../core/address.ts'
import { reasonOf, WeftError } from '../../core/errors.ts'
import type { KubernetesApi } from '../../core/kubernetes/api-client.ts'
import { failureOf } from '../../core/kubernetes/api-failure.ts'
import { directAccess } from './direct-access.ts'
import type { MeshAccess } from './mesh-access.ts'
import { type Forward, forwardPort } from './port-forward.ts'

type PodList = {
  readonly items: readonly {
    readonly metadata: { readonly name: string }
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
  }[]
}

/** A ready pod of the control plane, or else any. */
async function controlPlanePod(api: KubernetesApi): Promise<string> {
  const selector = encodeURIComponent(`app.kubernetes.io/name=${controlPlaneName}`)
  const reply = await api.request('GET', `/api/v1/namespaces/${weftNamespace}/pods?labelSelector=${selector}`)
  if (reply.status !== 200) throw failureOf(reply, 'the pods of the control plane cannot be listed')
  const { items } = reply.body as PodList
  const isReady = (pod: PodList['items'][number]): boolean =>
    pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
  const pod = items.find(isReady) ?? items[0]
  if (pod === undefined)
    throw new WeftError(
      'CONTROL_PLANE_UNREACHABLE',
      `there is no pod of ${controlPlaneName} in ${weftNamespace}`,
    )
  return pod.metadata.name
}

export function clusterAccess(api: KubernetesApi): MeshAccess {
  const forwards = new Map<string, Promise<Forward | undefined>>()
  let pod: Promise<string> | undefined
  return {
    controlPlane: async (path) => {
      const name = await (pod ??= controlPlanePod(api))
      const url = `/api/v1/namespaces/${weftNamespace}/pods/${name}:${ports.controlPlaneAdmin}/proxy${path}`
      const { status, body } = await api.request('GET', url)
      if (status === 502 || status === 503 || body === undefined)
        throw new WeftError(
          'CONTROL_PLANE_UNREACHABLE',
          `pod ${name} answers ${status}: ${reasonOf(body ?? 'no JSON')}`,
        )
      return { status, text: JSON.stringify(body) }
    },
    sidecar: async (sidecar: SidecarFacts, method, path) => {
      const { namespace, pod: name, admin } = sidecar
      const port = parseAddress(admin ?? '')?.port ?? ports.sidecarAdmin
      const key = `${namespace}/${name}`
      const forward = forwards.get(key) ?? forwardPort(namespace, name, port)
      forwards.set(key, forward)
      const local = await forward
      if (local === undefined) return undefined
      return directAccess('127.0.0.1:1').sidecar(
        { ...sidecar, admin: `127.0.0.1:${local.port}` },
        method,
        path,
      )
    },
    close: () => {
      for (const forward of forwards.values()) void forward.then((open) => open?.stop())
    },
  }
}
