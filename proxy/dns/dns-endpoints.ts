/** Clusters whose endpoints are names: keeps asking what these mean, and keeps the last answer when there is none. */
import { Backoff } from '../../core/backoff.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import type { EndpointConfig } from '../cluster/cluster-config.ts'
import type { FamilyChoice, HostResolver, Resolved } from './host-resolver.ts'

/** What a cluster asks for. The address of a host is its name. */
export type DnsHosts = {
  readonly hosts: readonly EndpointConfig[]
  /** One connection's worth: the first address of the first host alone (Envoy's LOGICAL_DNS). */
  readonly logical: boolean
  readonly choice: FamilyChoice
  /** Between two looks, where the answer does not say. */
  readonly refreshMs: number
  readonly respectTtl: boolean
}

export type DnsCounts = { resolved: number; failed: number }

type Watch = {
  readonly dns: DnsHosts
  readonly onEndpoints: (endpoints: readonly EndpointConfig[]) => void
  /** By the index of its host: its last answer. */
  readonly answers: Map<number, readonly string[]>
  readonly timers: Map<number, Timer>
}

/** A TTL of zero must not become a loop, and one of a week must not outlast a move. */
const shortestMs = 1_000
const longestMs = 300_000
const firstRetryMs = 1_000
const longestRetryMs = 30_000

export type DnsEndpointsParts = {
  readonly clock: Clock
  readonly resolver: HostResolver
  /** `host` of the cluster could not be resolved; what was known of it stays. */
  readonly onFailed: (cluster: string, host: string, error: unknown) => void
  readonly onResolved: (cluster: string, host: string) => void
}

export class DnsEndpoints {
  readonly counts: DnsCounts = { resolved: 0, failed: 0 }
  readonly #parts: DnsEndpointsParts
  readonly #watches = new Map<string, Watch>()

  constructor(parts: DnsEndpointsParts) {
    this.#parts = parts
  }

  /** Tells the endpoints of a cluster, first once every name was asked for, then whenever they change. */
  watch(cluster: string, dns: DnsHosts, onEndpoints: Watch['onEndpoints']): void {
    const before = this.#watches.get(cluster)
    this.unwatch(cluster)
    const watch: Watch = { dns, onEndpoints, answers: new Map(), timers: new Map() }
    this.#watches.set(cluster, watch)
    for (const [i, { address }] of dns.hosts.entries()) {
      // A change of the cluster's settings must not forget where its hosts are.
      const known = before === undefined ? undefined : answerOf(before, address)
      if (known !== undefined) watch.answers.set(i, known)
      void this.#look(cluster, watch, i, new Backoff({ baseMs: firstRetryMs, maxMs: longestRetryMs }))
    }
    if (watch.answers.size === dns.hosts.length) this.#tell(watch)
  }

  unwatch(cluster: string): void {
    for (const timer of this.#watches.get(cluster)?.timers.values() ?? []) timer.cancel()
    this.#watches.delete(cluster)
  }

  close(): void {
    for (const cluster of this.#watches.keys()) this.unwatch(cluster)
  }

  async #look(cluster: string, watch: Watch, i: number, backoff: Backoff): Promise<void> {
    const { resolver, clock, onFailed, onResolved } = this.#parts
    const host = (watch.dns.hosts[i] as EndpointConfig).address
    let againMs: number
    try {
      const resolved = await resolver.resolve(host, watch.dns.choice)
      if (this.#watches.get(cluster) !== watch) return
      backoff.reset()
      this.counts.resolved++
      onResolved(cluster, host)
      this.#take(watch, i, resolved.addresses)
      againMs = nextLookMs(watch.dns, resolved)
    } catch (error) {
      if (this.#watches.get(cluster) !== watch) return
      this.counts.failed++
      onFailed(cluster, host, error)
      if (!watch.answers.has(i)) this.#take(watch, i, [])
      againMs = Math.max(shortestMs, backoff.nextMs())
    }
    watch.timers.set(
      i,
      clock.after(againMs, () => void this.#look(cluster, watch, i, backoff)),
    )
  }

  #take(watch: Watch, i: number, addresses: readonly string[]): void {
    const before = watch.answers.get(i)
    const sorted = watch.dns.logical ? addresses : addresses.toSorted()
    watch.answers.set(i, sorted)
    const complete = watch.answers.size === watch.dns.hosts.length
    if (complete && JSON.stringify(before) !== JSON.stringify(sorted)) this.#tell(watch)
  }

  #tell({ dns, answers, onEndpoints }: Watch): void {
    const endpoints = dns.hosts.flatMap((host, i) =>
      (answers.get(i) ?? []).map((address) => ({ ...host, address })),
    )
    onEndpoints(dns.logical ? endpoints.slice(0, 1) : endpoints)
  }
}

function answerOf({ dns, answers }: Watch, host: string): readonly string[] | undefined {
  return answers.get(dns.hosts.findIndex(({ address }) => address === host))
}

function nextLookMs({ respectTtl, refreshMs }: DnsHosts, { ttlMs }: Resolved): number {
  const wanted = respectTtl && ttlMs !== undefined ? ttlMs : refreshMs
  return Math.min(longestMs, Math.max(shortestMs, wanted))
}
