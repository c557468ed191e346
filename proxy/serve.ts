/** Puts a codec on a wire whose protocol is known: exchanges of HTTP/1 or HTTP/2 for a handler, or bytes for another wire. */
import { Buffer } from 'node:buffer'
import type { Clock } from '../core/clock.ts'
import type { WeftError } from '../core/errors.ts'
import type { Downstream, Handler, Reply, ResponseFlag } from './exchange.ts'
import { ServerConnection, type ServerConnectionOptions } from './http1/server-connection.ts'
import type { WireError } from './http1/wire-error.ts'
import type { HeadForm } from './http2/head-form.ts'
import { HpackForm } from './http2/hpack-form.ts'
import { headForm } from './http2/head-forms.ts'
import { Http2ServerConnection } from './http2/server-connection.ts'
import type { Connections } from './listen/connections.ts'
import type { Wire } from './listen/wire.ts'
import type { Admission } from './overload/admission.ts'
import { Splice, type SpliceBytes, type SpliceSide, type SpliceWatch } from './tcp/splice.ts'
import type { TcpRecord } from './telemetry/access-records.ts'

/** How long clients are waited for. */
export type ClientTimeouts = {
  /** From the first byte of a head to its last: what takes longer is an attack or a dead peer. */
  readonly headMs: number
  /**
   * Between requests, and without a byte on a tunnel. Longer than any pool keeps its connections, so that it is the
   * client who closes, and no request races a close.
   */
  readonly idleMs: number
  /** Without a byte of a request's body, and while the client does not read. */
  readonly streamIdleMs: number
}

/** What was read while the protocol was detected. */
export type FirstBytes = { readonly bytes: Buffer; readonly firstByteMs: number }

/** What one side counts about its connections; read at scrape. */
export type ServeStats = {
  opened: number
  closed: number
  violations: number
  /** Connections whose protocol was not known in time, and that were taken for opaque bytes. */
  detectTimeouts: number
  /** Connections that could not be passed on, by the code of why. */
  readonly tcpErrors: Map<string, number>
  /** Exchanges by what was wrong with them. */
  readonly flags: Map<ResponseFlag, number>
  /** Of joined connections that are over ... */
  readBytes: number
  writtenBytes: number
  /** ... and those that are not. */
  readonly live: Set<SpliceBytes>
}

export function makeServeStats(): ServeStats {
  return {
    opened: 0,
    closed: 0,
    violations: 0,
    detectTimeouts: 0,
    tcpErrors: new Map(),
    flags: new Map(),
    readBytes: 0,
    writtenBytes: 0,
    live: new Set(),
  }
}

export type ServeParts = {
  readonly clock: Clock
  readonly connections: Connections
  readonly stats: ServeStats
  readonly timeouts: ClientTimeouts
  readonly admission: Admission
  readonly onViolation: (error: WireError, downstream: Downstream, began: boolean) => void
  /** A connection whose bytes were passed on is over, or could not be passed on. */
  readonly onTcpEnd: ((record: TcpRecord) => void) | undefined
  readonly onTcpRefused: (error: WeftError, client: Pick<TcpRecord, 'peer'>) => void
}

const noBytes = Buffer.alloc(0)

type SharedServerOptions = Omit<ServerConnectionOptions, 'connect' | 'onTunnel' | 'onClosed'>

function tunnel(client: SpliceSide, reply: Reply, early: Buffer, parts: ServeParts): void {
  if (reply.tunnel === undefined) return
  const { wire: upstream, early: fromUpstream, watch } = reply.tunnel.takeWire()
  splice(client, upstream, early, fromUpstream, parts, watch)
}

/** Joins two wires; `toUpstream` and `toClient` were read before. */
export function splice(
  client: SpliceSide,
  upstream: SpliceSide,
  toUpstream: Buffer,
  toClient: Buffer,
  parts: ServeParts,
  watch?: SpliceWatch,
): void {
  const { clock, timeouts } = parts
  const idle = { nowMs: clock.monotonicMs, timeoutMs: timeouts.idleMs }
  const joined = new Splice(client, upstream, idle, (done, stats) => {
    parts.stats.readBytes += stats.toUpstreamBytes
    parts.stats.writtenBytes += stats.toClientBytes
    parts.stats.live.delete(done)
    parts.connections.remove(done)
    watch?.onEnd(done, stats.end)
  })
  parts.stats.live.add(joined)
  parts.connections.add(joined)
  watch?.onStart(joined)
  joined.start(toUpstream, toClient)
}

/**
 * Serves HTTP/2 on `wire`, from its preface on; `form`: how heads are written there; `connect` answers CONNECT, which is
 * refused without it.
 */
export function serveHttp2(
  wire: Wire,
  downstream: Downstream,
  handler: Handler,
  first: FirstBytes | undefined,
  parts: ServeParts,
  form: HeadForm = new HpackForm(),
  connect?: Handler,
): void {
  const connection = new Http2ServerConnection(wire, {
    ...serverOptions(handler, downstream, parts),
    connect,
    form,
    onTunnel: (client, reply) => tunnel(client, reply, noBytes, parts),
    onClosed: (closed) => parts.connections.remove(closed),
  })
  parts.connections.add(connection)
  const { session } = connection
  wire.readInto(session)
  if (first !== undefined && first.bytes.length > 0) session.onBytes(first.bytes, 0, first.bytes.length)
  if (wire.ended) session.onEnd()
  if (parts.connections.draining) connection.drain()
}

/** What both codecs need. */
function serverOptions(handler: Handler, downstream: Downstream, parts: ServeParts): SharedServerOptions {
  const { timeouts } = parts
  return {
    handler,
    downstream,
    admission: parts.admission,
    nowMs: parts.clock.monotonicMs,
    headTimeoutMs: timeouts.headMs,
    idleTimeoutMs: timeouts.idleMs,
    streamIdleTimeoutMs: timeouts.streamIdleMs,
    onViolation: (error, began) => {
      parts.stats.violations++
      parts.onViolation(error, downstream, began)
    },
    onFlag: (flag) => parts.stats.flags.set(flag, (parts.stats.flags.get(flag) ?? 0) + 1),
  }
}

/** Serves HTTP/1 on `wire`; `connect` answers CONNECT, which is refused without it. */
export function serveHttp1(
  wire: Wire,
  downstream: Downstream,
  handler: Handler,
  first: FirstBytes | undefined,
  parts: ServeParts,
  connect?: Handler,
): void {
  const connection = new ServerConnection(wire, {
    ...serverOptions(handler, downstream, parts),
    connect,
    onTunnel: (client, reply, early) => tunnel(client, reply, early, parts),
    onClosed: (closed) => parts.connections.remove(closed),
  })
  parts.connections.add(connection)
  wire.readInto(connection)
  if (first !== undefined && first.bytes.length > 0) {
    connection.onBytes(first.bytes, 0, first.bytes.length)
    // Bytes that came before the protocol was known are part of the head's time.
    connection.headBeganAt(first.firstByteMs)
  }
  // A FIN that came while nobody knew the protocol is not told again.
  if (wire.ended) connection.onEnd()
  if (parts.connections.draining) connection.drain()
}

/** Serves what a sidecar has said by ALPN that it speaks: `weft-h1`, or one of those that share a connection. */
export function serveByAlpn(
  alpn: string,
  wire: Wire,
  downstream: Downstream,
  handler: Handler,
  parts: ServeParts,
): void {
  if (alpn === 'weft-h1') serveHttp1(wire, downstream, handler, undefined, parts)
  else serveHttp2(wire, downstream, handler, undefined, parts, headForm(alpn))
}
