/** One row of the HTTP/2 matrix: what a client sends, and what becomes of it. Numbers are those of the reference's list. */
import type { RawHttp2 } from '../support/http2-frames.ts'

export const code = {
  none: 0,
  protocol: 1,
  internal: 2,
  flow: 3,
  settingsTimeout: 4,
  closed: 5,
  size: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  calm: 11,
} as const

export type Http2Row = {
  /** Begins with the number of the row. */
  readonly name: string
  readonly send: readonly Buffer[]
  /** The connection ends with one of these codes. */
  readonly goaway?: readonly number[]
  /** Stream and code; the connection lives. */
  readonly reset?: readonly [number, number]
  /** Stream and status of its final reply; the connection lives. */
  readonly status?: readonly [number, string]
  /** Requests that reach the application; undefined: the beginning of one may. */
  readonly requests: number | undefined
  readonly check?: (peer: RawHttp2) => void
}

/** The connection is lost. */
export const breaks = (
  name: string,
  codes: number | readonly number[],
  ...send: readonly Buffer[]
): Http2Row => ({
  name,
  send,
  goaway: typeof codes === 'number' ? [codes] : codes,
  requests: 0,
})

/** One stream is reset, and nothing of it reaches the application. */
export const resets = (name: string, id: number, by: number, ...send: readonly Buffer[]): Http2Row => ({
  name,
  send,
  reset: [id, by],
  requests: 0,
})

/** As `resets`, once it has begun well. */
export const breaksOff = (name: string, id: number, by: number, ...send: readonly Buffer[]): Http2Row => ({
  ...resets(name, id, by, ...send),
  requests: undefined,
})

/** A stream is answered. */
export const answers = (
  name: string,
  id: number,
  status: string,
  requests: number,
  ...send: readonly Buffer[]
): Http2Row => ({ name, send, status: [id, status], requests })
