/** One hop of one sampled exchange, ready to be reported. */
export type SpanRecord = {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  /** The caller wants it kept whatever the collector's own sampling (B3). */
  readonly debug: boolean
  /** `server` on the inbound side, `client` on the outbound side, `internal` around several attempts of that. */
  readonly kind: 'server' | 'client' | 'internal'
  readonly name: string
  /** With fractions. */
  readonly startWallMs: number
  readonly durationMs: number
  /** What went wrong, in a word; undefined: nothing. */
  readonly error: string | undefined
  /** `address:port` of the other side, and the service it is; both as far as they are known. */
  readonly remoteAddress: string
  readonly remoteService: string
  readonly events: readonly SpanEvent[]
  /** [name, value, name, value ...]; names are ours, values may be a client's. */
  readonly attributes: readonly (string | number)[]
}

/** The moment at which a phase of the exchange begins. */
export type SpanEvent = {
  readonly name: 'queue' | 'connect' | 'tls' | 'wait' | 'stream'
  readonly wallMs: number
}

/** Takes spans off the hot path; never throws, never blocks. */
export interface SpanReporter {
  report(span: SpanRecord): void
  /** Tries once more to send what is queued. */
  close(): Promise<void>
}

/** How a collector wants its spans. Pure. */
export type SpanFormat = {
  /** Of its API, where the URL names none. */
  readonly path: string
  readonly encode: (span: SpanRecord) => string
  /** What stands around spans, which commas stand between, in the body of a request. */
  readonly open: string
  readonly close: string
  /** How many spans of a request it did not want although it took the others, by its answer. */
  readonly rejected: (answer: string) => number
}
