/** One incremental ADS stream to the control plane: subscriptions out, resources in, ACK or NACK back. Reconnects. */
import * as grpc from '@grpc/grpc-js'
import { aggregatedDiscoveryService } from '../../api/xds/services.ts'
import { type ResourceKind, resourceKindOf, typeUrls } from '../../api/xds/type-urls.ts'
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse, Node } from '../../api/xds/types.ts'
import { Backoff } from '../../core/backoff.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import type { OutageLog } from '../../core/outage-log.ts'
import { controlPlaneFailure } from '../identity/control-plane-failure.ts'
import type { Companion } from './companion.ts'

export type ReceivedResource = { readonly name: string; readonly version: string; readonly bytes: Uint8Array }

/** Takes what was received; gives back every problem, which makes the answer a NACK. */
export type OnResources = (
  kind: ResourceKind,
  resources: readonly ReceivedResource[],
  removed: readonly string[],
) => readonly string[]

export type XdsStats = {
  connected: boolean
  connects: number
  acks: number
  nacks: number
  lastMessageAtMs: number
}

export type DeltaClientOptions = {
  /** Made anew for each connection, so that rotated files are noticed. Throws WeftError when one is unreadable. */
  readonly dial: () => {
    readonly target: string
    readonly credentials: grpc.ChannelCredentials
    readonly options: grpc.ClientOptions
    readonly metadata: grpc.Metadata
  }
  /** For the log. */
  readonly target: string
  /** Read anew for each connection, and by `tellNode`. */
  readonly node: () => Node
  readonly clock: Clock
  readonly log: Log
  readonly outages: OutageLog
  readonly onResources: OnResources
  /** Opened on the same channel whenever the control plane has accepted us. */
  readonly companions?: readonly Companion[]
  /** The control plane has accepted us. */
  readonly onConnected?: () => void
}

type Stream = grpc.ClientDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>

/** A control plane that comes back is found within 3 s, so that all is caught up 5 s after an outage. */
const backoffMs = { baseMs: 100, maxMs: 3_000 }
/** A stream that lived as long was a success; one that is taken and dropped at once is another failure. */
const steadyMs = 1_000
/** A stream that dies without a word (a pulled cable) is noticed within these two together. */
const keepalive = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
}
const maxMessageBytes = 64 * 1024 * 1024
/** NACK texts go into logs on the other side. */
const maxErrorLength = 4096
const outageSource = 'configuration'
const deltaMethod = aggregatedDiscoveryService.DeltaAggregatedResources
/** Make before break, also when everything is asked for anew. */
const order: readonly ResourceKind[] = [
  'secret',
  'cluster',
  'clusterLoadAssignment',
  'listener',
  'routeConfiguration',
]

export class DeltaClient {
  readonly stats: XdsStats = { connected: false, connects: 0, acks: 0, nacks: 0, lastMessageAtMs: 0 }
  readonly #options: DeltaClientOptions
  readonly #backoff = new Backoff(backoffMs)
  readonly #names = new Map<ResourceKind, Set<string>>(order.map((kind) => [kind, new Set()]))
  readonly #versions = new Map<ResourceKind, Map<string, string>>(order.map((kind) => [kind, new Map()]))
  readonly #pending = new Map<ResourceKind, { subscribe: Set<string>; unsubscribe: Set<string> }>()
  #client: grpc.Client | undefined
  #stream: Stream | undefined
  #retry: Timer | undefined
  #upAtMs = 0
  #closed = false

  constructor(options: DeltaClientOptions) {
    this.#options = options
  }

  /** Connects. Something must have been subscribed to: the first request is the one that says who we are. */
  start(): void {
    this.#connect()
  }

  close(): void {
    this.#closed = true
    this.#retry?.cancel()
    this.#closeCompanions()
    this.#stream?.cancel()
    this.#client?.close()
  }

  subscribe(kind: ResourceKind, name: string): void {
    const names = this.#namesOf(kind)
    if (names.has(name)) return
    names.add(name)
    this.#queue(kind, name, 'subscribe')
  }

  unsubscribe(kind: ResourceKind, name: string): void {
    if (!this.#namesOf(kind).delete(name)) return
    this.#versionsOf(kind).delete(name)
    this.#queue(kind, name, 'unsubscribe')
  }

  /** Something of what we say of ourselves is different: tells it, if anybody listens. */
  tellNode(): void {
    this.#stream?.write({ node: this.#options.node(), typeUrl: typeUrls.secret })
  }

  /** What a restart found on disk: the server is told the version, and sends only what is newer. */
  known(kind: ResourceKind, name: string, version: string): void {
    this.#versionsOf(kind).set(name, version)
  }

  #namesOf(kind: ResourceKind): Set<string> {
    return this.#names.get(kind) as Set<string>
  }

  #versionsOf(kind: ResourceKind): Map<string, string> {
    return this.#versions.get(kind) as Map<string, string>
  }

  #connect(): void {
    if (this.#closed) return
    try {
      const { target, credentials, options, metadata } = this.#options.dial()
      this.#client = new grpc.Client(target, credentials, {
        ...options,
        ...keepalive,
        'grpc.max_receive_message_length': maxMessageBytes,
      })
      this.#open(this.#client, metadata)
    } catch (error) {
      this.#lost(error)
    }
  }

  #open(client: grpc.Client, metadata: grpc.Metadata): void {
    const { path, requestSerialize, responseDeserialize } = deltaMethod
    const stream: Stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata)
    this.#stream = stream
    stream.on('data', (response: DeltaDiscoveryResponse) => this.#receive(stream, response))
    stream.on('error', (error: unknown) => this.#lost(error, stream))
    stream.on('end', () => this.#lost(new Error('the control plane ended the stream'), stream))
    // Headers come before any resource: the server has accepted us.
    stream.on('metadata', () => this.#up(client, metadata))
    this.#pending.clear()
    let node: Node | undefined = this.#options.node()
    for (const kind of order) {
      const names = [...this.#namesOf(kind)]
      if (names.length === 0) continue
      const versions = this.#versionsOf(kind)
      stream.write({
        ...(node === undefined ? {} : { node }),
        typeUrl: typeUrls[kind],
        resourceNamesSubscribe: names,
        initialResourceVersions: Object.fromEntries(
          names.flatMap((name) => (versions.has(name) ? [[name, versions.get(name) as string]] : [])),
        ),
      })
      node = undefined
    }
  }

  #up(client: grpc.Client, metadata: grpc.Metadata): void {
    if (this.stats.connected) return
    this.stats.connected = true
    this.stats.connects++
    this.#options.outages.over(outageSource)
    this.#upAtMs = this.#options.clock.monotonicMs()
    this.#options.log.info({ target: this.#options.target }, 'connected to the control plane')
    for (const companion of this.#options.companions ?? []) companion.open(client, metadata.clone())
    this.#options.onConnected?.()
  }

  #lost(error: unknown, stream?: Stream): void {
    if (this.#closed || (stream !== undefined && stream !== this.#stream)) return
    this.#stream = undefined
    this.#closeCompanions()
    this.#client?.close()
    const { clock, outages, target } = this.#options
    if (this.stats.connected && clock.monotonicMs() - this.#upAtMs >= steadyMs) this.#backoff.reset()
    this.stats.connected = false
    outages.failed(outageSource, controlPlaneFailure(error, target, 'CONTROL_PLANE_UNREACHABLE'))
    this.#retry = clock.after(this.#backoff.nextMs(), () => this.#connect())
  }

  #closeCompanions(): void {
    for (const companion of this.#options.companions ?? []) companion.close()
  }

  #receive(stream: Stream, response: DeltaDiscoveryResponse): void {
    if (stream !== this.#stream) return
    this.stats.lastMessageAtMs = this.#options.clock.wallMs()
    const kind = resourceKindOf(response.typeUrl ?? '')
    const problems =
      kind === undefined ? [`type ${response.typeUrl} was not asked for`] : this.#apply(kind, response)
    const answer = { typeUrl: response.typeUrl, responseNonce: response.nonce }
    if (problems.length === 0) {
      this.stats.acks++
      stream.write(answer)
      return
    }
    this.stats.nacks++
    const message = problems.join('; ').slice(0, maxErrorLength)
    this.#options.log.warn(
      { code: 'RESOURCE_REJECTED', kind, problems },
      'resources are refused; the last good ones stay',
    )
    stream.write({ ...answer, errorDetail: { code: grpc.status.INVALID_ARGUMENT, message } })
  }

  #apply(kind: ResourceKind, response: DeltaDiscoveryResponse): readonly string[] {
    const wanted = this.#namesOf(kind)
    // What was given up while it was on its way would be forgotten at once.
    const resources = (response.resources ?? [])
      .map((resource) => ({
        name: resource.name ?? '',
        version: resource.version ?? '',
        bytes: resource.resource?.value ?? new Uint8Array(),
      }))
      .filter(({ name }) => wanted.has(name))
    const removed = (response.removedResources ?? []).filter((name) => wanted.has(name))
    const problems = this.#options.onResources(kind, resources, removed)
    const versions = this.#versionsOf(kind)
    const refused = new Set(problems.map((problem) => problem.split(': ', 1)[0]))
    for (const { name, version } of resources)
      if (!refused.has(name) && wanted.has(name)) versions.set(name, version)
    for (const name of removed) versions.delete(name)
    return problems
  }

  /** Names asked for in one turn of the event loop travel in one request. */
  #queue(kind: ResourceKind, name: string, what: 'subscribe' | 'unsubscribe'): void {
    if (this.#stream === undefined) return
    if (this.#pending.size === 0) queueMicrotask(() => this.#flush())
    const entry = this.#pending.get(kind) ?? { subscribe: new Set<string>(), unsubscribe: new Set<string>() }
    entry[what].add(name)
    entry[what === 'subscribe' ? 'unsubscribe' : 'subscribe'].delete(name)
    this.#pending.set(kind, entry)
  }

  #flush(): void {
    const stream = this.#stream
    for (const kind of order) {
      const entry = this.#pending.get(kind)
      if (entry === undefined || stream === undefined) continue
      stream.write({
        typeUrl: typeUrls[kind],
        resourceNamesSubscribe: [...entry.subscribe],
        resourceNamesUnsubscribe: [...entry.unsubscribe],
      })
    }
    this.#pending.clear()
  }
}
