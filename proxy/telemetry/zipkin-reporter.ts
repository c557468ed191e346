/**
 * Sends spans to Zipkin's API v2: in batches, beside the traffic. What is held is bounded, and what was lost is counted.
 * OpenTelemetry's exporter is not used: it waits for ever for a collector that takes a connection and does not answer,
 * and what its queue drops it tells nobody.
 */
import http from 'node:http'
import https from 'node:https'
import { Backoff } from '../../core/backoff.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import { reasonOf, WeftError } from '../../core/errors.ts'
import type { OutageLog } from '../../core/outage-log.ts'
import type { SpanRecord, SpanReporter } from './span.ts'
import { zipkinSpan } from './zipkin-span.ts'

/** Together with those being sent; a span has about 1 KiB. */
export const maxHeldSpans = 2048
const maxBatchSpans = 512
const batchEveryMs = 1_000
const answerTimeoutMs = 5_000
/** What a sidecar that ends gives its last spans. */
const closeTimeoutMs = 2_000
const backoffMs = { baseMs: 1_000, maxMs: 30_000 }
const outageSource = 'traces'
const spansPath = '/api/v2/spans'

export type ZipkinReporterOptions = {
  /** Of the collector; without a path, that of its API is meant. */
  readonly url: string
  /** Names us in the graph of services. */
  readonly service: string
  readonly clock: Clock
  readonly outages: OutageLog
  readonly random?: () => number
}

/** The collector got it, and did not want it: trying again would not help. */
class Unwanted extends Error {}

export class ZipkinReporter implements SpanReporter {
  readonly #url: URL
  readonly #options: ZipkinReporterOptions
  readonly #agent: http.Agent
  readonly #backoff: Backoff
  #held: SpanRecord[] = []
  #timer: Timer | undefined
  #sending: Promise<void> | undefined
  #outgoing: http.ClientRequest | undefined
  #closed = false
  /** Spans that Zipkin has taken; read at scrape. */
  sent = 0
  /** Spans that it never will. */
  lost = 0

  constructor(options: ZipkinReporterOptions) {
    this.#options = options
    this.#url = new URL(options.url)
    if (this.#url.pathname === '/') this.#url.pathname = spansPath
    this.#agent = new (this.#url.protocol === 'https:' ? https : http).Agent({
      keepAlive: true,
      maxSockets: 1,
    })
    this.#backoff = new Backoff({
      ...backoffMs,
      ...(options.random === undefined ? {} : { random: options.random }),
    })
  }

  /** Spans that wait to be sent. */
  get held(): number {
    return this.#held.length
  }

  report(span: SpanRecord): void {
    if (this.#closed || this.#held.length >= maxHeldSpans) {
      this.lost++
      return
    }
    this.#held.push(span)
    this.#schedule(batchEveryMs)
  }

  async close(): Promise<void> {
    let late = false
    const { clock } = this.#options
    const deadline = clock.after(closeTimeoutMs, () => {
      late = true
      this.#outgoing?.destroy(new Error('the sidecar ends'))
    })
    this.#closed = true
    this.#timer?.cancel()
    await this.#sending
    while (this.#held.length > 0 && !late && (await this.#sendBatch()));
    deadline.cancel()
    this.lost += this.#held.length
    this.#held = []
    this.#agent.destroy()
  }

  #schedule(delayMs: number): void {
    if (this.#closed || this.#timer !== undefined) return
    this.#timer = this.#options.clock.after(delayMs, () => {
      this.#timer = undefined
      // One at a time: a collector that is slow is not helped by more.
      this.#sending ??= this.#sendAll().finally(() => {
        this.#sending = undefined
      })
    })
  }

  async #sendAll(): Promise<void> {
    while (this.#held.length > 0 && !this.#closed) {
      if (await this.#sendBatch()) continue
      this.#timer?.cancel()
      this.#timer = undefined
      this.#schedule(this.#backoff.nextMs())
      return
    }
  }

  /** False when the collector is to be left alone for a while; the spans are held as long as there is room. */
  async #sendBatch(): Promise<boolean> {
    const batch = this.#held.slice(0, maxBatchSpans)
    try {
      await this.#post(batch)
      this.sent += batch.length
      this.#held.splice(0, batch.length)
      this.#backoff.reset()
      this.#options.outages.over(outageSource)
      return true
    } catch (error) {
      const reason = `${this.#url.href}: ${reasonOf(error)}`
      this.#options.outages.failed(
        outageSource,
        new WeftError('TRACES_UNDELIVERED', reason, { cause: error }),
      )
      if (!(error instanceof Unwanted)) return false
      this.lost += batch.length
      this.#held.splice(0, batch.length)
      return true
    }
  }

  #post(batch: readonly SpanRecord[]): Promise<void> {
    const body = JSON.stringify(batch.map((span) => zipkinSpan(span, this.#options.service)))
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    return new Promise((resolve, reject) => {
      const { request } = this.#url.protocol === 'https:' ? https : http
      const outgoing = request(this.#url, { method: 'POST', headers, agent: this.#agent }, (reply) => {
        reply.resume()
        reply.on('error', reject)
        reply.on('end', () => {
          timer.cancel()
          const { statusCode = 0 } = reply
          if (statusCode < 300) resolve()
          else if (statusCode < 500 && statusCode !== 429) reject(new Unwanted(`status ${statusCode}`))
          else reject(new Error(`status ${statusCode}`))
        })
      })
      this.#outgoing = outgoing
      const timer = this.#options.clock.after(answerTimeoutMs, () =>
        outgoing.destroy(new Error(`no answer within ${answerTimeoutMs} ms`)),
      )
      outgoing.on('error', (error) => {
        timer.cancel()
        reject(error)
      })
      outgoing.on('close', () => {
        timer.cancel()
        reject(new Error('the connection broke off'))
      })
      outgoing.end(body)
    })
  }
}
