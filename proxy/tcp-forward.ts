/** Passes a client's bytes on to an upstream that is being dialled, counts them, and tells what became of it. */
import type { Buffer } from 'node:buffer'
import { errorCodes, reasonOf, toWeftError, WeftError } from '../core/errors.ts'
import type { Exchange, ResponseFlag } from './exchange.ts'
import { WaitingConnection } from './listen/waiting-connection.ts'
import type { Wire } from './listen/wire.ts'
import { type ServeParts, splice } from './serve.ts'
import type { SpliceEnd, SpliceWatch } from './tcp/splice.ts'
import type { TcpRecord } from './telemetry/access-records.ts'
import type { TcpStats } from './telemetry/tcp-stats.ts'
import { UpstreamFailure } from './upstream-failure.ts'

export type TcpUpstream = {
  readonly wire: Wire
  /** What it has said already. */
  readonly early: Buffer
  readonly stats: TcpStats
  readonly cluster: string
  readonly address: string
  /** Its connection is over, or was never used. */
  readonly release: () => void
}

export type TcpClient = Pick<
  TcpRecord,
  'direction' | 'peer' | 'principal' | 'destination' | 'rule' | 'auditRule'
>

const flags = {
  complete: '',
  client: 'DC',
  upstream: 'UC',
  idle: 'DT',
  cut: '',
} as const satisfies Record<SpliceEnd, ResponseFlag>

function flagOf(error: unknown): ResponseFlag {
  if (error instanceof UpstreamFailure) return error.flag
  const { http } = errorCodes[toWeftError(error).code] as { readonly http?: { readonly flag: ResponseFlag } }
  return http?.flag ?? ''
}

/** Counts what one connection carried, and writes it down. */
export function watchTcp(
  client: TcpClient,
  upstream: TcpUpstream,
  startedMs: number,
  parts: ServeParts,
): SpliceWatch {
  return {
    onStart: (bytes) => upstream.stats.begin(bytes),
    onEnd: (bytes, end) => {
      const durationMs = parts.clock.monotonicMs() - startedMs
      upstream.release()
      upstream.stats.end(bytes, end === 'complete', durationMs)
      parts.onTcpEnd?.({
        ...client,
        cluster: upstream.cluster,
        upstream: upstream.address,
        receivedBytes: bytes.toUpstreamBytes,
        sentBytes: bytes.toClientBytes,
        durationMs: Math.round(durationMs * 1000) / 1000,
        flag: flags[end],
      })
    },
  }
}

/** As `watchTcp`, of the tunnel that a CONNECT asked for. */
export function watchTunnel(
  { downstream, destination, startedAtMs }: Exchange,
  upstream: TcpUpstream,
  parts: ServeParts,
): SpliceWatch {
  const { direction, peerAddress: peer, principal } = downstream
  return watchTcp({ direction, peer, principal, destination }, upstream, startedAtMs, parts)
}

function refusalOf(error: unknown): WeftError {
  if (!(error instanceof UpstreamFailure)) return toWeftError(error)
  return new WeftError(error.code, reasonOf(error), { cause: error })
}

function tellFailure(client: TcpClient, error: unknown, startedMs: number, parts: ServeParts): void {
  const refusal = refusalOf(error)
  const { code } = refusal
  const { tcpErrors } = parts.stats
  tcpErrors.set(code, (tcpErrors.get(code) ?? 0) + 1)
  parts.onTcpEnd?.({
    ...client,
    cluster: '',
    upstream: '',
    receivedBytes: 0,
    sentBytes: 0,
    durationMs: Math.round((parts.clock.monotonicMs() - startedMs) * 1000) / 1000,
    flag: flagOf(error),
  })
  parts.onTcpRefused(refusal, client)
}

/**
 * Joins `client`, of which `bytes` were read, with what `dialling` resolves to. Where that fails the client is cut off
 * (RST): nothing of what it asked for was done. Resolves once the two are joined; never rejects.
 */
export async function forwardTcp(
  client: Wire,
  bytes: Buffer,
  dialling: Promise<TcpUpstream>,
  facts: TcpClient,
  parts: ServeParts,
): Promise<void> {
  const startedMs = parts.clock.monotonicMs()
  client.pause()
  const waiting = new WaitingConnection(client)
  parts.connections.add(waiting)
  try {
    const upstream = await dialling
    const watch = watchTcp(facts, upstream, startedMs, parts)
    splice(client, upstream.wire, bytes, upstream.early, parts, watch)
  } catch (error) {
    client.reset()
    tellFailure(facts, error, startedMs, parts)
  } finally {
    parts.connections.remove(waiting)
  }
}
