/** Puts a codec on a wire whose protocol is known: HTTP/1 exchanges for a handler, or bytes for another wire. */
import { Buffer } from 'node:buffer'
import type { Clock } from '../core/clock.ts'
import type { Downstream, Handler, Reply } from './exchange.ts'
import { ServerConnection } from './http1/server-connection.ts'
import type { WireError } from './http1/wire-error.ts'
import type { Connections } from './listen/connections.ts'
import type { Wire } from './listen/wire.ts'
import { Splice } from './tcp/splice.ts'

/** A head that takes longer is an attack or a dead peer. */
const headTimeoutMs = 10_000
/** Longer than any pool keeps its connections, so that it is the client who closes, and no request races a close. */
const idleTimeoutMs = 3_600_000
const bodyIdleTimeoutMs = 300_000

/** What one side counts about its connections; read at scrape. */
export type ServeStats = {
  opened: number
  closed: number
  violations: number
  readBytes: number
  writtenBytes: number
}

export type ServeParts = {
  readonly clock: Clock
  readonly connections: Connections
  readonly stats: ServeStats
  readonly onViolation: (error: WireError, downstream: Downstream) => void
}

function tunnel(client: Wire, reply: Reply, early: Buffer, parts: ServeParts): void {
  if (reply.tunnel === undefined) return
  const { wire: upstream, early: fromUpstream } = reply.tunnel.takeWire()
  splice(client, upstream, early, fromUpstream, parts)
}

/** Joins two wires; `toUpstream` and `toClient` were read before. */
export function splice(
  client: Wire,
  upstream: Wire,
  toUpstream: Buffer,
  toClient: Buffer,
  parts: ServeParts,
): void {
  const joined = new Splice(client, upstream, (done, { toUpstreamBytes, toClientBytes }) => {
    parts.stats.readBytes += toUpstreamBytes
    parts.stats.writtenBytes += toClientBytes
    parts.connections.remove(done)
  })
  parts.connections.add(joined)
  joined.start(toUpstream, toClient)
}

/** Serves HTTP/1 on `wire`; `first` are the bytes read while the protocol was detected. */
export function serveHttp1(
  wire: Wire,
  downstream: Downstream,
  handler: Handler,
  first: Buffer,
  parts: ServeParts,
): void {
  const connection = new ServerConnection(wire, {
    handler,
    downstream,
    nowMs: parts.clock.monotonicMs,
    headTimeoutMs,
    idleTimeoutMs,
    bodyIdleTimeoutMs,
    onViolation: (error) => {
      parts.stats.violations++
      parts.onViolation(error, downstream)
    },
    onTunnel: (client, reply, early) => tunnel(client, reply, early, parts),
    onClosed: (closed) => parts.connections.remove(closed),
  })
  parts.connections.add(connection)
  wire.readInto(connection)
  if (first.length > 0) connection.onBytes(Buffer.from(first), 0, first.length)
}
