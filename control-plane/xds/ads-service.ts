/** The aggregated discovery service: authenticates streams, keeps them, and passes changes to those they concern. */
import { type handleBidiStreamingCall, Metadata, type ServerDuplexStream } from '@grpc/grpc-js'
import type { SidecarFacts } from '../../api/diagnosis.ts'
import type {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
  DiscoveryRequest,
  DiscoveryResponse,
} from '../../api/xds/types.ts'
import { failureFields } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { Authenticator } from '../ca/authenticator.ts'
import { authenticateCall, opaqueStatus } from '../ca/call-authentication.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { DeltaStream, ResponseCache } from './delta-stream.ts'
import { SotwStream } from './sotw-stream.ts'
import type { StreamParts } from './stream-client.ts'
import type { Peer, PushStats, Subscriber } from './subscriber.ts'

export type AdsHandlers = {
  readonly StreamAggregatedResources: handleBidiStreamingCall<DiscoveryRequest, DiscoveryResponse | Buffer>
  readonly DeltaAggregatedResources: handleBidiStreamingCall<
    DeltaDiscoveryRequest,
    DeltaDiscoveryResponse | Buffer
  >
}

export class AdsService {
  readonly stats: PushStats = { pushes: 0, resources: 0, acks: 0, nacks: 0, streams: 0 }
  readonly #snapshot: Snapshot
  readonly #log: Log
  readonly #responses = new ResponseCache()
  readonly #streams = new Set<Subscriber>()
  readonly #clock: StreamParts['clock']

  constructor(snapshot: Snapshot, log: Log, clock: StreamParts['clock']) {
    this.#snapshot = snapshot
    this.#log = log
    this.#clock = clock
  }

  /** `changedAtMs`: when the first of the changes was told. */
  push(dependencies: ReadonlySet<string>, changedAtMs?: number): void {
    for (const stream of this.#streams) stream.push(dependencies, changedAtMs)
    this.#responses.clear()
  }

  clients(): readonly object[] {
    return [...this.#streams].map((stream) => stream.describe())
  }

  /** The sidecars that are connected; of each pod the newest stream: one that broke off without a word may still be there. */
  sidecars(trustDomain: string): readonly SidecarFacts[] {
    const all = [...this.#streams].flatMap((stream) => stream.sidecar(trustDomain) ?? [])
    const byAge = all.toSorted((a, b) => a.connectedAtMs - b.connectedAtMs)
    return [...new Map(byAge.map((sidecar) => [`${sidecar.namespace}/${sidecar.pod}`, sidecar])).values()]
  }

  /** Handlers for one listener. Without an authenticator every client is taken for a stock gRPC client. */
  handlers(authenticator: Authenticator | undefined): AdsHandlers {
    const parts = {
      snapshot: this.#snapshot,
      responses: this.#responses,
      stats: this.stats,
      log: this.#log,
      clock: this.#clock,
    }
    return {
      StreamAggregatedResources: (call) =>
        this.#open(call, authenticator, (peer) => new SotwStream(call, peer, parts)),
      DeltaAggregatedResources: (call) =>
        this.#open(call, authenticator, (peer) => new DeltaStream(call, peer, parts)),
    }
  }

  #open<Q, R>(
    call: ServerDuplexStream<Q, R>,
    authenticator: Authenticator | undefined,
    make: (peer: Peer) => Subscriber,
  ): void {
    call.on('error', (error) => this.#log.debug({ error, peer: call.getPeer() }, 'a stream broke off'))
    this.#admit(call, authenticator, make).catch((error: unknown) => {
      this.#log.warn({ ...failureFields(error), peer: call.getPeer() }, 'a client is refused')
      call.emit('error', opaqueStatus(error))
    })
  }

  async #admit<Q, R>(
    call: ServerDuplexStream<Q, R>,
    authenticator: Authenticator | undefined,
    make: (peer: Peer) => Subscriber,
  ): Promise<void> {
    const identity =
      authenticator === undefined ? undefined : await authenticateCall(call.metadata, authenticator)
    // It left while its token was checked: nothing would take its stream away again.
    if (call.cancelled) return
    const stream = make({ identity, address: call.getPeer() })
    this.#streams.add(stream)
    this.stats.streams++
    const gone = (): void => {
      if (this.#streams.delete(stream)) this.stats.streams--
    }
    call.on('close', gone).on('cancelled', gone)
    call.on('end', () => {
      gone()
      call.end()
    })
    // Tells the client that it is accepted before anything is asked for.
    call.sendMetadata(new Metadata())
  }
}
