/**
 * Sends spans to a collector: in batches, beside the traffic. What is held is bounded, and what was lost is counted.
 * OpenTelemetry's exporter is not used: it waits for ever for a collector that takes a connection and does not answer,
 * and what its queue drops it tells nobody.
 */
import http from 'node:http'
import https from 'node:https'
import { Backoff } from '../../core/backoff.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import { reasonOf, WeftError } from '../../core/errors.ts'
import type { OutageLog } from '../../core/outage-log.ts'
import type { SpanFormat, SpanRecord, SpanReporter } from './span.ts'

/** Together with those being sent; a span has about 600 bytes. */
export const maxHeldSpans = 2048
const maxBatchSpans = 512
const batchEveryMs = 1_000
const answerTimeoutMs = 5_000
/** What a sidecar that ends gives its last spans. */
const closeTimeoutMs = 2_000
const backoffMs = { baseMs: 1_000, maxMs: 30_000 }
const outageSource = 'traces'
/** Of an answer: what a collector says beyond is not for us. */
const maxAnswerBytes = 64 * 1024

export type CollectorReporterOptions = {
  /** Of the collector; without a path, that of its API is meant. */
  readonly url: string
  readonly format: SpanFormat
  readonly clock: Clock
  readonly outages: OutageLog
  readonly random?: () => number
}

/** The collector got it, and did not want it: trying again would not help. */
class Unwanted extends Error {}

export class CollectorReporter implements SpanReporter {
  readonly #url: URL
  readonly #options: CollectorReporterOptions
  readonly #agent: http.Agent
  readonly #backoff: Backoff
  /** As they will be sent: smaller than the records, and dropped without being looked at again. */
  #held: string[] = []
  #timer: Timer | undefined
  #sending: Promise<void> | undefined
  #outgoing: http.ClientRequest | undefined
  #closed = false
  /** After a failure, until it is tried again. */
  #resting = false
  /** Spans that the collector has taken; read at scrape. */
  sent = 0
  /** Spans that it never will. */
  lost = 0

  constructor(options: CollectorReporterOptions) {
    this.#options = options
    this.#url = new URL(options.url)
    if (this.#url.pathname === '/') this.#url.pathname = options.format.path
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
    this.#held.push(this.#options.format.encode(span))
    // A full batch need not wait, unless the collector is being left alone.
    if (this.#held.length >= maxBatchSpans && !this.#resting) this.#send()
    else this.#schedule(batchEveryMs)
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
      this.#resting = false
      this.#send()
    })
  }

  /** One at a time: a collector that is slow is not helped by more. */
  #send(): void {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined
    })
  }

  async #sendAll(): Promise<void> {
    // What is left and fills no batch waits for more.
    for (let first = true; (first || this.#held.length >= maxBatchSpans) && !this.#closed; first = false) {
      if (await this.#sendBatch()) continue
      this.#timer?.cancel()
      this.#timer = undefined
      this.#resting = true
      this.#schedule(this.#backoff.nextMs())
      return
    }
    if (this.#held.length > 0) this.#schedule(batchEveryMs)
  }

  /** False when the collector is to be left alone for a while; the spans are held as long as there is room. */
  async #sendBatch(): Promise<boolean> {
    const batch = this.#held.slice(0, maxBatchSpans)
    try {
      const rejected = Math.min(batch.length, this.#options.format.rejected(await this.#post(batch)))
      this.sent += batch.length - rejected
      this.lost += rejected
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

  /** Resolves with what the collector answered. */
  #post(batch: readonly string[]): Promise<string> {
    const body = this.#options.format.body(batch)
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    return new Promise((resolve, reject) => {
      const { request } = this.#url.protocol === 'https:' ? https : http
      const outgoing = request(this.#url, { method: 'POST', headers, agent: this.#agent }, (reply) => {
        let answer = ''
        reply.on('data', (piece: Buffer) => {
          if (answer.length < maxAnswerBytes) answer += piece.latin1Slice()
        })
        reply.on('error', reject)
        reply.on('end', () => {
          timer.cancel()
          const { statusCode = 0 } = reply
          if (statusCode < 300) resolve(answer)
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
