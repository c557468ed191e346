/** Services that sidecars ask for, and that nobody is behind. Pure. */
import { parseServiceName } from '../../api/xds/naming.ts'
import type { BackendFacts } from './backend-checks.ts'
import { type Check, warning } from './check.ts'

/** A client of the control plane, as its page /clients has it. */
export type AskingClient = {
  readonly node: string
  readonly subscriptions: { readonly listener?: readonly string[] }
}

const namedAtMost = 3

/** `namespace/name:port` -> who asks for it. */
function askers(clients: readonly AskingClient[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>()
  for (const { node, subscriptions } of clients)
    for (const name of subscriptions.listener ?? []) {
      const service = parseServiceName(name)
      if (service === undefined) continue
      const key = `${service.namespace}/${service.service}:${service.port}`
      found.set(key, (found.get(key) ?? new Set()).add(node))
    }
  return new Map([...found].map(([key, nodes]) => [key, [...nodes].toSorted()]))
}

/** What splits and routes send elsewhere, and ports that no endpoint has, are told of by `backendChecks`. */
export function askedChecks(
  { services, splits }: BackendFacts,
  clients: readonly AskingClient[],
): readonly Check[] {
  const asked = askers(clients)
  const split = new Set(
    splits.flatMap(({ namespace, apex, ports }) =>
      ports.filter(({ servedBy }) => servedBy === 'split').map(({ port }) => `${namespace}/${apex}:${port}`),
    ),
  )
  return services.flatMap(({ namespace, name, ports }) =>
    ports.flatMap(({ port, missing, rules }) => {
      const key = `${namespace}/${name}:${port}`
      const by = asked.get(key)
      const isEmpty = missing === 'no-pods' || missing === 'none-ready'
      if (by === undefined || !isEmpty || rules.length > 0 || split.has(key)) return []
      const names = by.slice(0, namedAtMost).join(', ') + (by.length > namedAtMost ? ' ...' : '')
      return [
        warning(
          'configuration',
          'SERVICE_NOT_READY',
          `Service ${key} has no ready endpoint: 503 for ${names}`,
          'see whether its selector matches pods, and why these are not ready',
        ),
      ]
    }),
  )
}
