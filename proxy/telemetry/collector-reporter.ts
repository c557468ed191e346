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
import { SpanBatch } from './span-batch.ts'

/** Together with those being sent; a span has about 700 bytes. */
export const maxHeldSpans = 2048
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
  /** In the order in which they will be sent; the last one takes what comes. */
  #batches: SpanBatch[] = []
  /** The last one that was sent: a new one each time would be a garbage collection each time. */
  #spare: SpanBatch | undefined
  #held = 0
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
    return this.#held
  }

  report(span: SpanRecord): void {
    if (this.#closed || this.#held >= maxHeldSpans) {
      this.lost++
      return
    }
    this.#hold(this.#options.format.encode(span))
    // A full batch need not wait, unless the collector is being left alone.
    if (this.#hasFull && !this.#resting) this.#send()
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
    while (this.#held > 0 && !late && (await this.#sendBatch()));
    deadline.cancel()
    this.lost += this.#held
    this.#held = 0
    this.#batches = []
    this.#agent.destroy()
  }

  #hold(span: string): void {
    const { format } = this.#options
    let batch = this.#batches.at(-1)
    if (batch?.add(span) !== true) {
      batch = this.#spare ?? new SpanBatch(format)
      this.#spare = undefined
      this.#batches.push(batch)
      batch.add(span)
    }
    this.#held++
  }

  /** Nothing can be added to the first batch any more. */
  get #hasFull(): boolean {
    return this.#batches.length > 1 || this.#batches[0]?.full === true
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
    for (let first = true; (first || this.#hasFull) && this.#held > 0 && !this.#closed; first = false) {
      if (await this.#sendBatch()) continue
      this.#timer?.cancel()
      this.#timer = undefined
      this.#resting = true
      this.#schedule(this.#backoff.nextMs())
      return
    }
    if (this.#held > 0) this.#schedule(batchEveryMs)
  }

  /** False when the collector is to be left alone for a while; the spans are held as long as there is room. */
  async #sendBatch(): Promise<boolean> {
    // Out of the queue, so that nothing is added to what is on its way.
    const batch = this.#batches.shift() as SpanBatch
    const { format, outages } = this.#options
    try {
      const rejected = Math.min(batch.spans, format.rejected(await this.#post(batch.body())))
      this.sent += batch.spans - rejected
      this.lost += rejected
      this.#done(batch)
      this.#backoff.reset()
      outages.over(outageSource)
      return true
    } catch (error) {
      const reason = `${this.#url.href}: ${reasonOf(error)}`
      outages.failed(outageSource, new WeftError('TRACES_UNDELIVERED', reason, { cause: error }))
      if (!(error instanceof Unwanted)) {
        this.#batches.unshift(batch)
        return false
      }
      this.lost += batch.spans
      this.#done(batch)
      return true
    }
  }

  #done(batch: SpanBatch): void {
    this.#held -= batch.spans
    batch.clear()
    this.#spare = batch
  }

  /** Resolves with what the collector answered. */
  #post(body: Buffer): Promise<string> {
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
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
