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
  readonly failed: boolean
  readonly attributes: Readonly<Record<string, string | number>>
}

/** Takes spans off the hot path; never throws, never blocks. */
export interface SpanReporter {
  report(span: SpanRecord): void
  /** Sends what is queued. */
  close(): Promise<void>
}
