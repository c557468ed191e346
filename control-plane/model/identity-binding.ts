/**
 * SMI's IdentityBindings: which workloads they mean, and what these are known by to those whom they call. What proves a
 * client is its certificate, and that names its ServiceAccount; labels are proven by nothing but the API server. Pure.
 */
import { isIP } from 'node:net'
import { parseSpiffeId } from '../../api/spiffe.ts'
import type { AccessSource, IdentityBinding } from './access-policy.ts'
import type { Workload } from './objects.ts'

/** Its own namespace is all that a binding may speak of, and peers of other meshes are let in nowhere. */
function accountOfId(id: string, namespace: string, trustDomain: string): string | undefined {
  const parsed = parseSpiffeId(id)
  return parsed?.trustDomain === trustDomain && parsed.namespace === namespace
    ? parsed.serviceAccount
    : undefined
}

/** Ids that mean nobody. */
export function strangeIds(
  { namespace, spiffeIds }: IdentityBinding,
  trustDomain: string,
): readonly string[] {
  return spiffeIds.filter((id) => accountOfId(id, namespace, trustDomain) === undefined)
}

/** The ServiceAccounts of its namespace that it names itself. */
function namedAccounts(binding: IdentityBinding, trustDomain: string): ReadonlySet<string> {
  const { namespace, spiffeIds, serviceAccount } = binding
  const byId = spiffeIds.flatMap((id) => accountOfId(id, namespace, trustDomain) ?? [])
  return new Set(serviceAccount === undefined ? byId : [serviceAccount, ...byId])
}

function isSelected({ podLabels }: IdentityBinding, { labels }: Workload): boolean {
  return podLabels.some((wanted) => Object.entries(wanted).every(([name, value]) => labels[name] === value))
}

/** Whether it means a workload. */
export function binds(binding: IdentityBinding, workload: Workload, trustDomain: string): boolean {
  return (
    workload.namespace === binding.namespace &&
    (isSelected(binding, workload) || namedAccounts(binding, trustDomain).has(workload.serviceAccount))
  )
}

export type BoundClients = {
  /** How those whom they call know them; none: it means nobody. */
  readonly sources: readonly AccessSource[]
  /** Pods that nothing tells from others which are not meant. */
  readonly untold: readonly string[]
}

function sourceOf(
  namespace: string,
  accounts: readonly string[],
  cidrs: AccessSource['cidrs'],
): readonly AccessSource[] {
  const serviceAccounts = accounts.toSorted().map((name) => ({ namespace, name }))
  return accounts.length === 0 ? [] : [{ principals: [], serviceAccounts, namespaces: [], cidrs }]
}

function addressesOf(pods: readonly Workload[]): AccessSource['cidrs'] {
  const all = new Set(pods.flatMap(({ addresses }) => addresses))
  return [...all].toSorted().map((address) => ({ address, prefixLength: isIP(address) === 6 ? 128 : 32 }))
}

/**
 * Who may be meant as a client; `pods` are all of its namespace. A ServiceAccount of which only some pods are selected
 * is not enough: these have to call from their own addresses, too.
 */
export function boundClients(
  binding: IdentityBinding,
  pods: readonly Workload[],
  trustDomain: string,
): BoundClients {
  const { namespace } = binding
  const named = namedAccounts(binding, trustDomain)
  const selected = pods.filter((pod) => isSelected(binding, pod) && !named.has(pod.serviceAccount))
  const shared = new Set(
    pods.filter((pod) => !isSelected(binding, pod)).map(({ serviceAccount }) => serviceAccount),
  )
  const ofAlone = selected.filter(({ serviceAccount }) => !shared.has(serviceAccount))
  const amongOthers = Map.groupBy(
    selected.filter(({ serviceAccount }) => shared.has(serviceAccount)),
    ({ serviceAccount }) => serviceAccount,
  )
  const whole = new Set([...named, ...ofAlone.map(({ serviceAccount }) => serviceAccount)])
  return {
    sources: [
      ...sourceOf(namespace, [...whole], []),
      ...[...amongOthers]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([account, some]) => {
          const cidrs = addressesOf(some)
          // Without addresses it would be all of them.
          return cidrs.length === 0 ? [] : sourceOf(namespace, [account], cidrs)
        }),
    ],
    untold: [...amongOthers.values()]
      .flat()
      .filter(({ addresses }) => addresses.length === 0)
      .map(({ name }) => name),
  }
}
