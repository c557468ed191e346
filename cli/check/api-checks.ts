/** Whether there is an API server that weft can live with, and whether we may install there. */
import { weftNamespace } from '../../api/deployment.ts'
import { describe } from '../../core/errors.ts'
import type { KubernetesApi } from '../../core/kubernetes/api-client.ts'
import { groupOf, resourceOf } from './api-paths.ts'
import { type Check, failing, good, unasked, warning } from './check.ts'
import { expectedObjects } from './cluster-facts.ts'

/** Native sidecars are on by default from here on. */
const oldestMinor = 29

function versionCheck(body: unknown): Check {
  const { major = '', minor = '', gitVersion = '' } = (body ?? {}) as Readonly<Record<string, string>>
  const enough = Number(major) > 1 || Number.parseInt(minor, 10) >= oldestMinor
  return enough
    ? good('kubernetes-api', 'KUBERNETES_VERSION', `Kubernetes is ${gitVersion}`)
    : warning(
        'kubernetes-api',
        'KUBERNETES_TOO_OLD',
        `Kubernetes is ${gitVersion}: sidecars are ordinary containers there`,
        `use 1.${oldestMinor} or newer, or set config.weft.dev/native-sidecar: "false"`,
      )
}

async function gatewayCheck(api: KubernetesApi): Promise<Check> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/httproutes.gateway.networking.k8s.io'
  const { status } = await api.request('GET', path)
  if (status === 200)
    return good('kubernetes-api', 'GATEWAY_API', 'the CRDs of the Gateway API are installed')
  if (status !== 404)
    return unasked(
      'kubernetes-api',
      'GATEWAY_API_UNKNOWN',
      'the CRDs may not be read',
      'run it as somebody who may',
    )
  return warning(
    'kubernetes-api',
    'GATEWAY_API_MISSING',
    'HTTPRoutes do not count: the CRDs of the Gateway API are not installed',
    'install the standard channel of the Gateway API, unless TrafficSplits are enough',
  )
}

/** Never rejects; the first fails alone when nobody answers. */
export async function apiChecks(api: KubernetesApi): Promise<readonly Check[]> {
  try {
    const { status, body } = await api.request('GET', '/version')
    if (status !== 200)
      return [
        failing(
          'kubernetes-api',
          'KUBERNETES_REFUSED',
          `the API server answers ${status}`,
          'see whether the kubeconfig is still good',
        ),
      ]
    return [
      good('kubernetes-api', 'KUBERNETES_REACHABLE', 'the API server answers'),
      versionCheck(body),
      await gatewayCheck(api),
    ]
  } catch (error) {
    return [
      failing(
        'kubernetes-api',
        'KUBERNETES_UNREACHABLE',
        describe(error),
        'see whether the kubeconfig names a cluster that runs',
      ),
    ]
  }
}

type Right = { readonly group: string; readonly resource: string; readonly namespace: string | undefined }

/** Each kind once, as whoever installs has to be allowed to make it. */
function neededRights(): readonly Right[] {
  const rights = expectedObjects().map(({ apiVersion, kind, metadata }) => ({
    group: groupOf(apiVersion),
    resource: resourceOf(kind),
    namespace: metadata.namespace,
  }))
  return [...new Map(rights.map((right) => [JSON.stringify(right), right])).values()]
}

async function mayCreate(api: KubernetesApi, { group, resource, namespace }: Right): Promise<boolean> {
  const { body } = await api.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: {
      resourceAttributes: {
        group,
        resource,
        verb: 'create',
        ...(namespace === undefined ? {} : { namespace }),
      },
    },
  })
  return (body as { readonly status?: { readonly allowed?: boolean } } | undefined)?.status?.allowed === true
}

/** Before `weft install`. */
export async function preChecks(api: KubernetesApi): Promise<readonly Check[]> {
  const { status } = await api.request('GET', `/api/v1/namespaces/${weftNamespace}`)
  const namespace =
    status === 404
      ? good('before-installing', 'NAMESPACE_FREE', `there is no namespace ${weftNamespace} yet`)
      : warning(
          'before-installing',
          'NAMESPACE_EXISTS',
          `there is a namespace ${weftNamespace} already`,
          'weft uninstall first, or upgrade what is there',
        )
  const checks: Check[] = [namespace]
  for (const right of neededRights()) {
    const what = `${right.resource}${right.group === '' ? '' : `.${right.group}`}${right.namespace === undefined ? '' : ` in ${right.namespace}`}`
    checks.push(
      (await mayCreate(api, right))
        ? good('before-installing', 'MAY_CREATE', `may create ${what}`)
        : failing(
            'before-installing',
            'MAY_NOT_CREATE',
            `may not create ${what}`,
            'install as somebody who may: usually cluster-admin',
          ),
    )
  }
  return checks
}
