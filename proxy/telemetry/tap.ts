/** Exchanges that somebody looks at, kept until they are sent: bounded, and never with a body or a header's value. */
import type { TapFacts } from '../../api/live.ts'
import { type GrpcStatusName, grpcStatusNames, isFailedCall } from '../../api/grpc-status.ts'
import type { Exchange, Reply } from '../exchange.ts'
import { callStatus } from '../grpc/grpc-call.ts'

export type TapWatch = {
  readonly id: number
  /** Empty or 0: everything passes. */
  readonly direction: string
  readonly method: string
  readonly pathPrefix: string
  readonly leastStatus: number
  readonly mostStatus: number
  /** Of a call: a status by its name, or `failed`. */
  readonly grpcStatus: string
  readonly leastLatencyMs: number
  readonly peer: string
}

/** For the watches of these ids; empty: there is none. */
export type Tapped = Omit<TapFacts, 'grpcStatus'> & {
  /** Empty: it was no call. */
  readonly grpcStatus: GrpcStatusName | ''
  readonly watchIds: readonly number[]
  readonly endpoint: string
  readonly peer: string
  readonly traceId: string
}

/** What one sidecar sends, however many look. */
export const maxTappedPerSecond = 1_000

type Facts = { readonly nowMs: () => number; readonly wallMs: () => number }

export class Tap {
  /** undefined while nobody looks: all that an exchange reads then. */
  onDone: ((x: Exchange, reply: Reply | undefined, sentBytes: number) => void) | undefined = undefined
  readonly #facts: Facts
  #watches: readonly TapWatch[] = []
  #kept: Tapped[] = []
  #dropped = 0
  #secondBeganMs = 0
  #inSecond = 0

  constructor(facts: Facts) {
    this.#facts = facts
  }

  /** From now on these, and no others. */
  set(watches: readonly TapWatch[]): void {
    this.#watches = watches
    this.onDone = watches.length === 0 ? undefined : this.#record
    if (watches.length === 0) this.take()
  }

  /** What was kept since the last call, and how many there was no room for. */
  take(): { readonly exchanges: readonly Tapped[]; readonly dropped: number } {
    const taken = { exchanges: this.#kept, dropped: this.#dropped }
    this.#kept = []
    this.#dropped = 0
    return taken
  }

  readonly #record = (x: Exchange, reply: Reply | undefined, sentBytes: number): void => {
    const now = this.#facts.nowMs()
    const durationMs = now - x.startedAtMs
    const status = reply?.status ?? 0
    const grpcStatus = callName(x, reply)
    const watchIds = this.#watches
      .filter((watch) => matches(watch, x, status, grpcStatus, durationMs))
      .map(({ id }) => id)
    if (watchIds.length === 0) return
    if (!this.#hasRoom(now)) {
      this.#dropped++
      return
    }
    const { direction, meshTls } = x.downstream
    const inbound = direction === 'inbound'
    this.#kept.push({
      watchIds,
      atMs: this.#facts.wallMs() - durationMs,
      direction,
      destination: inbound ? String(x.downstream.applicationPort) : x.destination,
      endpoint: x.upstreamAddress,
      peer: peerOf(x),
      tls: inbound ? meshTls : x.upstreamPrincipal !== undefined,
      method: x.method,
      authority: x.authority,
      path: pathOf(x),
      status,
      grpcStatus,
      durationMs: Math.round(durationMs * 1000) / 1000,
      requestBytes: x.body.receivedBytes,
      replyBytes: sentBytes,
      flags: x.flag,
      traceId: x.trace?.traceId ?? '',
    })
  }

  #hasRoom(now: number): boolean {
    if (now - this.#secondBeganMs >= 1_000) {
      this.#secondBeganMs = now
      this.#inSecond = 0
    }
    return this.#inSecond++ < maxTappedPerSecond && this.#kept.length < maxTappedPerSecond
  }
}

function callName(x: Exchange, reply: Reply | undefined): GrpcStatusName | '' {
  const status = callStatus(x, reply)
  return status === undefined ? '' : (grpcStatusNames[status] ?? 'UNKNOWN')
}

function matchesCall(wanted: string, name: GrpcStatusName | ''): boolean {
  if (wanted === '') return true
  if (name === '') return false
  return wanted === 'failed' ? isFailedCall(name) : wanted === name
}

function matches(
  watch: TapWatch,
  x: Exchange,
  status: number,
  grpcStatus: GrpcStatusName | '',
  durationMs: number,
): boolean {
  return (
    (watch.direction === '' || watch.direction === x.downstream.direction) &&
    (watch.method === '' || watch.method === x.method) &&
    (watch.pathPrefix === '' || pathOf(x).startsWith(watch.pathPrefix)) &&
    status >= watch.leastStatus &&
    (watch.mostStatus === 0 || status <= watch.mostStatus) &&
    matchesCall(watch.grpcStatus, grpcStatus) &&
    durationMs >= watch.leastLatencyMs &&
    (watch.peer === '' || peerOf(x).includes(watch.peer))
  )
}

/** Queries carry secrets now and then. */
function pathOf({ requestTarget }: Exchange): string {
  return requestTarget.split('?', 1)[0] as string
}

/** The other side: by its certificate, else by its address. */
function peerOf({ downstream, upstreamPrincipal, upstreamAddress }: Exchange): string {
  return downstream.direction === 'inbound'
    ? (downstream.principal ?? downstream.peerAddress)
    : (upstreamPrincipal ?? upstreamAddress)
}
