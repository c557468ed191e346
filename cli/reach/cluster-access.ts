/** A mesh in a cluster: the control plane by the API server's proxy, sidecars, whose pages are on loopback, by kubectl. */
import type { SidecarFacts } from '../../api/diagnosis.ts'
import { controlPlaneName, weftNamespace } from '../../api/deployment.ts'
import { ports } from '../../api/ports.ts'
import { parseAddress } from '../../core/address.ts'
import { WeftError } from '../../core/errors.ts'
import type { KubernetesApi } from '../../core/kubernetes/api-client.ts'
import { failureOf, statusMessage } from '../../core/kubernetes/api-failure.ts'
import { directAccess } from './direct-access.ts'
import type { MeshAccess, Page } from './mesh-access.ts'
import { type Forward, forwardPort } from './port-forward.ts'

type PodList = {
  readonly items: readonly {
    readonly metadata: { readonly name: string }
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
  }[]
}

/** Each is a kubectl; more than twice of those who ask at once, so that none is ended that is in use. */
const mostForwards = 40

/** The pods of the control plane, those that are ready if any is. Rejects with CONTROL_PLANE_UNREACHABLE. */
export async function controlPlanePods(api: KubernetesApi): Promise<readonly string[]> {
  const selector = encodeURIComponent(`app.kubernetes.io/name=${controlPlaneName}`)
  const reply = await api.request('GET', `/api/v1/namespaces/${weftNamespace}/pods?labelSelector=${selector}`)
  if (reply.status !== 200) throw failureOf(reply, 'the pods of the control plane cannot be listed')
  const { items } = reply.body as PodList
  const isReady = ({ status }: PodList['items'][number]): boolean =>
    status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ===
    true
  const ready = items.filter(isReady)
  const usable = ready.length > 0 ? ready : items.slice(0, 1)
  if (usable.length === 0)
    throw new WeftError(
      'CONTROL_PLANE_UNREACHABLE',
      `there is no pod of ${controlPlaneName} in ${weftNamespace}`,
    )
  return usable.map(({ metadata }) => metadata.name)
}

/** The path by which the API server leads to a page of a pod of the control plane. */
export function podPage(pod: string, page: string): string {
  return `/api/v1/namespaces/${weftNamespace}/pods/${pod}:${ports.controlPlaneAdmin}/proxy${page}`
}

async function askPod(api: KubernetesApi, pod: string, path: string): Promise<Page> {
  const { status, body } = await api.request('GET', podPage(pod, path))
  // Pages that are text are told apart by their status.
  if (status === 200) return { status, text: body === undefined ? '' : JSON.stringify(body) }
  // The control plane shows its pages to everybody: it is the API server that refuses.
  if (status === 401 || status === 403)
    throw new WeftError('KUBERNETES_REFUSED', statusMessage(body) ?? `${path}: ${status}`)
  throw new WeftError(
    'CONTROL_PLANE_UNREACHABLE',
    `pod ${pod} answers ${path} with ${status}: ${statusMessage(body) ?? ''}`,
  )
}

/** What changes something has to come from the pod itself, as only who may `exec` or `port-forward` there can. */
async function postToPod(forward: Forward | undefined, pod: string, path: string): Promise<Page> {
  if (forward === undefined)
    throw new WeftError('CONTROL_PLANE_UNREACHABLE', `kubectl cannot forward a port of pod ${pod}`)
  return directAccess(`127.0.0.1:${forward.port}`).changeControlPlane(path)
}

/** `kubeconfig`: as KUBECONFIG has it, for kubectl. */
export function clusterAccess(api: KubernetesApi, kubeconfig: string): MeshAccess {
  const forwards = new Map<string, Promise<Forward | undefined>>()
  const forwarded = (namespace: string, pod: string, port: number): Promise<Forward | undefined> => {
    const key = `${namespace}/${pod}`
    const forward = forwards.get(key) ?? forwardPort(namespace, pod, port, kubeconfig)
    // The one used last is the last in the map.
    forwards.delete(key)
    forwards.set(key, forward)
    const [oldest] = forwards
    if (forwards.size > mostForwards && oldest !== undefined) {
      forwards.delete(oldest[0])
      void oldest[1].then((open) => open?.stop())
    }
    return forward
  }
  let pods: Promise<readonly string[]> | undefined
  return {
    controlPlane: async (path) => askPod(api, (await (pods ??= controlPlanePods(api)))[0] as string, path),
    controlPlanes: async (path) =>
      Promise.all((await (pods ??= controlPlanePods(api))).map((pod) => askPod(api, pod, path))),
    changeControlPlane: async (path) => {
      const pod = (await (pods ??= controlPlanePods(api)))[0] as string
      return postToPod(await forwarded(weftNamespace, pod, ports.controlPlaneAdmin), pod, path)
    },
    sidecar: async (sidecar: SidecarFacts, method, path) => {
      const { namespace, pod: name, admin } = sidecar
      const port = parseAddress(admin ?? '')?.port ?? ports.sidecarAdmin
      const local = await forwarded(namespace, name, port)
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
