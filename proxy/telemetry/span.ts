/** One hop of one sampled exchange, ready to be reported. */
export type SpanRecord = {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  /** `server` on the inbound side, `client` on the outbound side. */
  readonly kind: 'server' | 'client'
  readonly name: string
  readonly startWallMs: number
  readonly durationMs: number
  /** What went wrong, in a word; undefined: nothing. */
  readonly error: string | undefined
  /** `address:port` of the other side, as far as it is known. */
  readonly remoteAddress: string
  readonly attributes: Readonly<Record<string, string | number>>
}

/** Takes spans off the hot path; never throws, never blocks. */
export interface SpanReporter {
  report(span: SpanRecord): void
  /** Tries once more to send what is queued. */
  close(): Promise<void>
}
