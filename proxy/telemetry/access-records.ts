/** What the access log is told of that is no exchange. */
import type { Direction, ResponseFlag } from '../exchange.ts'

/** A connection whose bytes were passed on unread. */
export type TcpRecord = {
  readonly direction: Direction
  /** The client's address. */
  readonly peer: string
  /** Proven by its certificate; undefined in clear. */
  readonly principal: string | undefined
  /** What the client asked for: a name or an address, with its port. */
  readonly destination: string
  /** Empty when none was chosen. */
  readonly cluster: string
  readonly upstream: string
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly durationMs: number
  /** The rule of access that decided, and the one that would have; left out: there are none. */
  readonly rule?: string
  readonly auditRule?: string
  /** Why it did not come to a good end: empty when it did. */
  readonly flag: ResponseFlag
}

/** A request that could not be read. */
export type Refusal = {
  readonly direction: Direction
  readonly peer: string
  readonly status: number
  readonly flag: ResponseFlag
  readonly code: string
  readonly reason: string
}
