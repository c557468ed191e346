/** The HTTPS server that the API server asks. Whatever arrives, it answers and goes on. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import { conversionPath } from '../api/smi.ts'
import { listen } from '../core/admin-server.ts'
import { formatAddress } from '../core/address.ts'
import { failureFields, reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { type AdmissionRequest, readReview, reviewResponse, type Verdict } from './admission-review.ts'
import { convertReview, readConversion } from './conversion/conversion-review.ts'
import type { WebhookMetrics } from './webhook-metrics.ts'

export const webhookPath = '/inject'

/** By path. etcd takes objects of 1.5 MiB; an admission holds one, or the old and the new, a conversion a list's page. */
const largestBodyBytes: ReadonlyMap<string, number> = new Map([
  [webhookPath, 3 * 1024 * 1024],
  [conversionPath, 32 * 1024 * 1024],
])
/** The API server waits 10 s at most. */
const requestTimeoutMs = 10_000
const drainTimeoutMs = 2_000
/** The API server has a few; each may send a few megabytes. */
const mostConnections = 256

export type KeyPair = { readonly keyPem: string; readonly certificatePem: string }

export type WebhookParts = {
  readonly log: Log
  readonly metrics: WebhookMetrics
  /** Rejects when nothing can be decided: then the webhook's failurePolicy does. */
  readonly admit: (request: AdmissionRequest) => Promise<Verdict>
}

type Answer = { readonly status: number; readonly body: string; readonly json?: true }

function secure({ keyPem, certificatePem }: KeyPair): { key: string; cert: string; minVersion: 'TLSv1.2' } {
  return { key: keyPem, cert: certificatePem, minVersion: 'TLSv1.2' }
}

async function readBody(request: IncomingMessage, largestBytes: number): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > largestBytes) return undefined
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > largestBytes) return undefined
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

export class WebhookServer {
  readonly #parts: WebhookParts
  #server: Server | undefined
  #stopping = false

  constructor(parts: WebhookParts) {
    this.#parts = parts
  }

  /** Listens, and gives the port. Rejects with PORT_IN_USE or LISTEN_FAILED. */
  async start(host: string, port: number, pair: KeyPair): Promise<number> {
    const { log } = this.#parts
    const options = { ...secure(pair), requestTimeout: requestTimeoutMs, handshakeTimeout: requestTimeoutMs }
    const server = createServer(options, (request, response) => {
      request.on('error', (error) => log.debug({ reason: reasonOf(error) }, 'a request broke off'))
      response.on('error', (error) => log.debug({ reason: reasonOf(error) }, 'a reply broke off'))
      void this.#serve(request, response)
    })
    server.maxConnections = mostConnections
    this.#server = server
    server.on('tlsClientError', (error, socket) => {
      log.debug({ reason: reasonOf(error) }, 'a handshake failed')
      socket.destroy()
    })
    server.on('clientError', (_error, socket) => socket.destroy())
    const actual = await listen(server, host, port, 'webhook')
    server.on('error', (error) => log.error({ error }, 'the webhook server failed'))
    log.info({ name: 'webhook', address: formatAddress({ host, port: actual }) }, 'listening')
    return actual
  }

  /** For connections from now on. */
  replaceCertificate(pair: KeyPair): void {
    this.#server?.setSecureContext(secure(pair))
  }

  /** What is being answered is answered; then every connection is closed. */
  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined || !server.listening) return
    this.#stopping = true
    await new Promise<void>((resolve) => {
      const late = setTimeout(() => server.closeAllConnections(), drainTimeoutMs)
      server.close(() => {
        clearTimeout(late)
        resolve()
      })
      server.closeIdleConnections()
    })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer
    try {
      answer = await this.#answer(request)
    } catch (error) {
      this.#parts.metrics.failures.inc()
      this.#parts.log.error(failureFields(error), 'a review could not be answered; a failurePolicy decides')
      answer = { status: 500, body: `${reasonOf(error)}\n` }
    }
    if (response.destroyed) return
    response.statusCode = answer.status
    response.setHeader('content-type', answer.json === true ? 'application/json' : 'text/plain')
    response.setHeader('content-length', Buffer.byteLength(answer.body))
    // What was not read would be taken for the next request.
    if (!request.complete || this.#stopping) response.setHeader('connection', 'close')
    response.end(answer.body)
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const path = request.url?.split('?')[0] ?? ''
    const largestBytes = largestBodyBytes.get(path)
    if (largestBytes === undefined)
      return { status: 404, body: `the webhooks are ${[...largestBodyBytes.keys()].join(' and ')}\n` }
    if (request.method !== 'POST') return { status: 405, body: 'use POST\n' }
    const body = await readBody(request, largestBytes)
    if (body === undefined) return { status: 413, body: 'the review is too large\n' }
    return path === webhookPath ? this.#admission(body) : this.#conversion(body)
  }

  async #admission(body: string): Promise<Answer> {
    const review = readReview(body)
    if (!review.ok) return this.#malformed(review.problem)
    const verdict = await this.#parts.admit(review.request)
    this.#audit(review.request, verdict)
    return { status: 200, body: JSON.stringify(reviewResponse(review.request.uid, verdict)), json: true }
  }

  #conversion(body: string): Answer {
    const review = readConversion(body)
    if (!review.ok) return this.#malformed(review.problem)
    this.#parts.metrics.conversions.inc(review.request.objects.length)
    return { status: 200, body: JSON.stringify(convertReview(review.request)), json: true }
  }

  #malformed(problem: string): Answer {
    this.#parts.metrics.malformed.inc()
    this.#parts.log.warn({ reason: problem }, 'a malformed review')
    return { status: 400, body: `${problem}\n` }
  }

  #audit({ uid, namespace, dryRun, object }: AdmissionRequest, verdict: Verdict): void {
    const outcome = !verdict.allowed ? 'refused' : verdict.patch.length > 0 ? 'injected' : 'skipped'
    if (!dryRun) this.#parts.metrics.decisions.inc({ outcome })
    const pod = nameOf(object)
    this.#parts.log.info({ uid, namespace, pod, outcome, reason: verdict.reason, dryRun }, 'admission')
  }
}

/** A pod often has no name yet, but the beginning of one. */
function nameOf(object: unknown): string {
  const { metadata } = (object ?? {}) as { metadata?: { name?: unknown; generateName?: unknown } | null }
  const name = metadata?.name ?? metadata?.generateName
  return typeof name === 'string' ? name : ''
}
