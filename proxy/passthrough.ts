/** Reaches what the mesh does not know: the destination as the client named it, without mTLS. */
import type { Clock } from '../core/clock.ts'
import { WeftError } from '../core/errors.ts'
import { type ClusterConfig, defaultBalancing, plainEndpoint } from './cluster/cluster-config.ts'
import { Cluster, type ClusterParts } from './cluster/cluster.ts'
import { type FamilyChoice, type HostResolver, type Resolved } from './dns/host-resolver.ts'
import type { Exchange, Handler, Receiver } from './exchange.ts'
import { balance } from './layers/balance.ts'
import { retry } from './layers/retry.ts'
import { DestinationRetries } from './retry/destination-retries.ts'

/** Names come from requests, so what is kept per name is bounded: the one unused longest goes first. */
const maxDestinations = 512
/** How long an address answers for a name that comes without a time of its own, and the bounds of one that has it. */
const defaultTtlMs = 5_000
const shortestTtlMs = 1_000
const longestTtlMs = 60_000
/** As the system's own look-up does, both families. */
const bothFamilies: FamilyChoice = { families: [4, 6], which: 'all' }
const connectTimeoutMs = 1_000

type Entry = {
  readonly cluster: Cluster
  readonly handler: Handler
  staleAtMs: number
  resolving: Promise<void> | undefined
}

export type PassthroughParts = {
  readonly clock: Clock
  readonly clusterParts: ClusterParts
  readonly resolver: HostResolver
  /** Ours: a request for it would come back here for ever. */
  readonly isOwnAddress: (host: string, port: number) => boolean
}

function splitName(destination: string): { readonly host: string; readonly port: number } {
  const colon = destination.lastIndexOf(':')
  return {
    host: destination.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(destination.slice(colon + 1)),
  }
}

function clusterConfig(): ClusterConfig {
  return {
    name: 'passthrough',
    connectTimeoutMs,
    balancing: defaultBalancing,
    limits: undefined,
    outlierDetection: undefined,
    // One label for all: the destination's name came from a request.
    labels: { dst_service: '', dst_namespace: '', authority: 'passthrough' },
    tls: 'never',
    identities: [],
    idleTimeoutMs: 4_000,
  }
}

export class Passthrough {
  readonly #parts: PassthroughParts
  readonly #entries = new Map<string, Entry>()
  /** Exchanges passed through, and connections; read at scrape. */
  count = 0
  connections = 0

  constructor(parts: PassthroughParts) {
    this.#parts = parts
  }

  /** Sends `x` to `x.destination`. Fails with WeftError DESTINATION_UNKNOWN when the name has no address, LOOP_DETECTED when it is ours. */
  readonly handle: Handler = (x, receiver) => {
    this.count++
    const entry = this.#entryFor(x.destination)
    if (x.nowMs > entry.staleAtMs || !entry.cluster.available) this.#refresh(entry, x.destination)
    // With an address at hand the look-up goes on beside.
    if (entry.cluster.available) entry.handler(x, receiver)
    else void this.#handleResolved(entry, x, receiver)
  }

  /** Where a connection to `destination` goes. Rejects with WeftError DESTINATION_UNKNOWN when the name has no address. */
  async clusterFor(destination: string): Promise<Cluster> {
    this.connections++
    const entry = this.#entryFor(destination)
    const old = this.#parts.clock.monotonicMs() > entry.staleAtMs
    if (old || !entry.cluster.available) this.#refresh(entry, destination)
    if (!entry.cluster.available) await entry.resolving
    return entry.cluster
  }

  sweep(): void {
    for (const entry of this.#entries.values())
      for (const endpoint of entry.cluster.endpoints) endpoint.sweep()
  }

  #refresh(entry: Entry, destination: string): void {
    entry.resolving ??= this.#resolve(entry, destination).finally(() => {
      entry.resolving = undefined
    })
    // Whoever waits for it hears of a failure; with an address at hand nobody does.
    entry.resolving.catch(() => undefined)
  }

  async #handleResolved(entry: Entry, x: Exchange, receiver: Receiver): Promise<void> {
    try {
      await entry.resolving
      x.nowMs = this.#parts.clock.monotonicMs()
      entry.handler(x, receiver)
    } catch (error) {
      receiver.onFailure(x, error)
    }
  }

  #entryFor(destination: string): Entry {
    const found = this.#entries.get(destination)
    if (found !== undefined) {
      this.#entries.delete(destination)
      this.#entries.set(destination, found)
      return found
    }
    const { clock, clusterParts } = this.#parts
    const cluster = new Cluster(clusterConfig(), clusterParts)
    const nowMs = clock.monotonicMs
    const handler = retry(new DestinationRetries(nowMs))(balance(() => cluster, nowMs))
    const entry: Entry = { cluster, handler, staleAtMs: Number.NEGATIVE_INFINITY, resolving: undefined }
    this.#entries.set(destination, entry)
    if (this.#entries.size > maxDestinations) this.#dropOldest()
    return entry
  }

  #dropOldest(): void {
    const [oldest] = this.#entries
    if (oldest === undefined) return
    oldest[1].cluster.drain()
    this.#entries.delete(oldest[0])
  }

  async #resolve(entry: Entry, destination: string): Promise<void> {
    const { host, port } = splitName(destination)
    const { addresses, ttlMs = defaultTtlMs } = await this.#lookUp(host)
    const usable = addresses.filter((address) => !this.#parts.isOwnAddress(address, port))
    if (usable.length === 0 && addresses.length > 0) {
      throw new WeftError('LOOP_DETECTED', `${destination} is this sidecar itself`)
    }
    if (usable.length === 0) {
      if (entry.cluster.available) return
      throw new WeftError('DESTINATION_UNKNOWN', `${destination} is not in the mesh and has no address`)
    }
    const holdMs = Math.min(longestTtlMs, Math.max(shortestTtlMs, ttlMs))
    entry.staleAtMs = this.#parts.clock.monotonicMs() + holdMs
    entry.cluster.setEndpoints(usable.map((address) => plainEndpoint(address, port)))
  }

  async #lookUp(host: string): Promise<Resolved> {
    try {
      return await this.#parts.resolver.resolve(host, bothFamilies)
    } catch {
      // No such name, or no name server: for the caller the same, it has no address.
      return { addresses: [], ttlMs: undefined }
    }
  }
}
