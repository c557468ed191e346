/**
 * Between those who look and the sidecars: tells each sidecar what to look for, and each viewer what was seen. Pure; bounded
 * by the viewers there may be and what each may be sent a second; what is left out is counted and told.
 */
import { grpcStatusNamed, isFailedCall } from '../../api/grpc-status.ts'
import type { LiveWorkload, TapDrops, TappedExchange } from '../../api/live.ts'
import type { Messages } from '../../api/xds/messages.ts'
import { concerns, type TapQuery } from './tap-query.ts'

type Seen = Messages['weft.tap.v1alpha1.TappedExchange']
type Command = Messages['weft.tap.v1alpha1.TapCommand']

/** A sidecar's stream. */
export type TapSidecar = {
  readonly source: LiveWorkload
  readonly pod: string
  readonly tell: (command: Command) => void
}

export type TapViewer = {
  readonly id: number
  readonly query: TapQuery
  /** False: it does not read, the line is lost. */
  readonly send: (line: TappedExchange | TapDrops) => boolean
  secondBeganMs: number
  inSecond: number
  dropped: number
}

export const maxViewers = 32

export class TapBroker {
  readonly #sidecars = new Set<TapSidecar>()
  readonly #viewers = new Map<number, TapViewer>()
  readonly #nowMs: () => number
  #lastId = 0

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  get viewers(): number {
    return this.#viewers.size
  }

  join(sidecar: TapSidecar): void {
    this.#sidecars.add(sidecar)
    if (this.#viewers.size > 0) this.#tell(sidecar)
  }

  leave(sidecar: TapSidecar): void {
    this.#sidecars.delete(sidecar)
  }

  /** undefined: too many look already. */
  watch(query: TapQuery, send: TapViewer['send']): TapViewer | undefined {
    if (this.#viewers.size >= maxViewers) return undefined
    const viewer = { id: ++this.#lastId, query, send, secondBeganMs: 0, inSecond: 0, dropped: 0 }
    this.#viewers.set(viewer.id, viewer)
    this.#tellThoseOf(viewer)
    return viewer
  }

  unwatch(viewer: TapViewer): void {
    if (this.#viewers.delete(viewer.id)) this.#tellThoseOf(viewer)
  }

  receive(sidecar: TapSidecar, exchanges: readonly Seen[], dropped: number): void {
    for (const seen of exchanges)
      for (const id of new Set(seen.watchIds)) {
        const viewer = this.#viewers.get(id)
        // A sidecar shows what it was asked for, and nothing to others.
        if (viewer !== undefined && concerns(viewer.query, sidecar.source))
          this.#show(viewer, lineOf(seen, sidecar))
      }
    if (dropped <= 0) return
    for (const viewer of this.#viewers.values())
      if (concerns(viewer.query, sidecar.source)) viewer.send({ dropped, by: 'sidecar' })
  }

  #show(viewer: TapViewer, line: TappedExchange): void {
    const now = this.#nowMs()
    if (now - viewer.secondBeganMs >= 1_000) {
      viewer.secondBeganMs = now
      viewer.inSecond = 0
      if (viewer.dropped > 0 && viewer.send({ dropped: viewer.dropped, by: 'viewer' })) viewer.dropped = 0
    }
    if (++viewer.inSecond > viewer.query.maxPerSecond || !viewer.send(line)) viewer.dropped++
  }

  #tellThoseOf({ query }: TapViewer): void {
    for (const sidecar of this.#sidecars) if (concerns(query, sidecar.source)) this.#tell(sidecar)
  }

  #tell({ source, tell }: TapSidecar): void {
    const watches = [...this.#viewers.values()]
      .filter(({ query }) => concerns(query, source))
      .map(({ id, query: { filter } }) => ({ id, filter }))
    tell({ watches })
  }
}

function lineOf(seen: Seen, { source, pod }: TapSidecar): TappedExchange {
  const status = seen.status ?? 0
  const grpcStatus = grpcStatusNamed(seen.grpcStatus ?? '') ?? null
  return {
    atMs: seen.atMs ?? 0,
    source,
    sourcePod: pod,
    direction: seen.direction === 'inbound' ? 'inbound' : 'outbound',
    destination: seen.destination ?? '',
    endpoint: seen.endpoint || null,
    peer: seen.peer || null,
    tls: seen.tls ?? false,
    method: seen.method ?? '',
    authority: seen.authority ?? '',
    path: seen.path ?? '',
    status,
    grpcStatus,
    failed: status === 0 || status >= 500 || (grpcStatus !== null && isFailedCall(grpcStatus)),
    durationMs: seen.durationMs ?? 0,
    requestBytes: seen.requestBytes ?? 0,
    replyBytes: seen.replyBytes ?? 0,
    flags: seen.flags ?? '',
    traceId: seen.traceId || null,
  }
}
