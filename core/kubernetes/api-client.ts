/**
 * Requests to the API server, and streams of events from it: JSON over HTTP/1, one connection for each watch.
 * Not @kubernetes/client-node: its informer lists in one piece and asks for no bookmarks, and loading it takes 87 MB.
 */
import http from 'node:http'
import https from 'node:https'
import type { Clock } from '../clock.ts'
import { reasonOf, toWeftError, WeftError } from '../errors.ts'
import { readResponse } from '../read-response.ts'
import { version } from '../version.ts'
import type { KubernetesConnection } from './connection.ts'
import type { Credential } from './credential-plugin.ts'
import { JsonLines } from './json-lines.ts'

export type ApiMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type ApiReply = {
  readonly status: number
  /** Parsed; undefined when it is no JSON. */
  readonly body: unknown
  /** What a Retry-After asks for. */
  readonly retryAfterMs: number | undefined
}
export type WatchHandlers = {
  readonly signal: AbortSignal
  /** A stream that says nothing for so long is taken for dead. */
  readonly idleMs: number
  readonly onEvent: (event: unknown) => void
}

const usualTimeoutMs = 30_000
/** A list of 500 large objects. */
const largestReplyBytes = 256 * 1024 * 1024

/** Who only asks. */
export type KubernetesApi = Pick<KubernetesClient, 'request'>

export class KubernetesClient {
  readonly #connection: KubernetesConnection
  readonly #clock: Clock
  readonly #agent: http.Agent
  readonly #request: typeof http.request
  readonly #timeoutMs: number

  /** `timeoutMs`: for a whole request; watches go on for ever. */
  constructor(connection: KubernetesConnection, clock: Clock, timeoutMs = usualTimeoutMs) {
    this.#timeoutMs = timeoutMs
    const { ca, certificate, verify, serverName, server } = connection
    this.#connection = connection
    this.#clock = clock
    const encrypted = server.protocol === 'https:'
    this.#request = encrypted ? https.request : http.request
    this.#agent = encrypted
      ? new https.Agent({
          keepAlive: true,
          rejectUnauthorized: verify,
          ...(ca === undefined ? {} : { ca }),
          ...(serverName === undefined ? {} : { servername: serverName }),
          ...certificate,
        })
      : new http.Agent({ keepAlive: true })
  }

  /**
   * Whatever the API server answers, also a refusal. Rejects with KUBERNETES_UNREACHABLE when it does not answer, with
   * KUBERNETES_REFUSED when the credential plugin gives nothing to be known by.
   */
  async request(method: ApiMethod, path: string, body?: object): Promise<ApiReply> {
    const aborter = new AbortController()
    const timer = this.#clock.after(this.#timeoutMs, () => aborter.abort())
    try {
      const response = await this.#send(method, path, body, aborter.signal)
      return replyOf(response, await readResponse(response, largestReplyBytes))
    } catch (error) {
      if (error instanceof WeftError) throw error
      throw unreachable(aborter.signal.aborted ? `no answer within ${this.#timeoutMs} ms` : error)
    } finally {
      timer.cancel()
    }
  }

  /**
   * Streams a watch's events until the server ends it: then undefined. A reply that is none is given back.
   * Rejects with KUBERNETES_UNREACHABLE when the stream breaks, falls silent, or `signal` ends it.
   */
  async watch(path: string, { signal, idleMs, onEvent }: WatchHandlers): Promise<ApiReply | undefined> {
    const aborter = new AbortController()
    const abort = (): void => aborter.abort()
    if (signal.aborted) throw unreachable('it was called off')
    signal.addEventListener('abort', abort)
    let timer = this.#clock.after(idleMs, abort)
    try {
      const response = await this.#send('GET', path, undefined, aborter.signal)
      if (response.statusCode !== 200)
        return replyOf(response, await readResponse(response, largestReplyBytes))
      const lines = new JsonLines()
      for await (const piece of response as AsyncIterable<Buffer>) {
        timer.cancel()
        timer = this.#clock.after(idleMs, abort)
        for (const event of lines.push(piece)) deliver(event, onEvent)
      }
      return undefined
    } catch (error) {
      throw error instanceof WeftError
        ? error
        : unreachable(aborter.signal.aborted ? 'the watch fell silent' : error)
    } finally {
      timer.cancel()
      signal.removeEventListener('abort', abort)
      // Frees the connection, however it ended.
      aborter.abort()
    }
  }

  /**
   * The reply of a GET as it comes, for the caller to read and to end by `signal`; for what is behind the API server's
   * proxy. Rejects with KUBERNETES_UNREACHABLE or KUBERNETES_REFUSED.
   */
  async open(
    path: string,
    signal: AbortSignal,
    headers: http.OutgoingHttpHeaders = {},
  ): Promise<http.IncomingMessage> {
    try {
      return await this.#send('GET', path, undefined, signal, headers)
    } catch (error) {
      throw error instanceof WeftError ? error : unreachable(error)
    }
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent.destroy()
  }

  /** A credential that a program gave is asked for anew, once, when the API server takes it no longer. */
  async #send(
    method: ApiMethod,
    path: string,
    body: object | undefined,
    signal: AbortSignal,
    headers: http.OutgoingHttpHeaders = {},
  ): Promise<http.IncomingMessage> {
    const { plugin, token } = this.#connection
    if (plugin === undefined)
      return this.#sendAs({ token: token(), certificate: undefined }, method, path, body, signal, headers)
    const sendAs = (credential: Credential) => this.#sendAs(credential, method, path, body, signal, headers)
    const credential = await plugin.credential(this.#clock)
    const response = await sendAs(credential)
    if (response.statusCode !== 401) return response
    response.resume()
    plugin.forget(credential)
    return sendAs(await plugin.credential(this.#clock))
  }

  #sendAs(
    { token: bearer, certificate }: Credential,
    method: ApiMethod,
    path: string,
    body: object | undefined,
    signal: AbortSignal,
    more: http.OutgoingHttpHeaders,
  ): Promise<http.IncomingMessage> {
    const { server } = this.#connection
    const text = body === undefined ? undefined : JSON.stringify(body)
    const headers: http.OutgoingHttpHeaders = {
      ...more,
      accept: 'application/json',
      'user-agent': `weft/${version}`,
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...(text === undefined ? {} : { 'content-length': Buffer.byteLength(text) }),
      ...(text === undefined ? {} : { 'content-type': contentType(method) }),
    }
    const url = new URL(server.pathname.replace(/\/$/, '') + path, server)
    return new Promise((resolve, reject) => {
      // The agent keeps connections of different certificates apart.
      const request = this.#request(url, { method, headers, agent: this.#agent, signal, ...certificate })
      request.on('response', resolve)
      request.on('error', reject)
      request.end(text)
    })
  }
}

/** A fault of ours is not to look like one of the network. */
function deliver(event: unknown, onEvent: (event: unknown) => void): void {
  try {
    onEvent(event)
  } catch (error) {
    throw toWeftError(error)
  }
}

function contentType(method: ApiMethod): string {
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
}

function unreachable(cause: unknown): WeftError {
  return new WeftError('KUBERNETES_UNREACHABLE', reasonOf(cause), { cause })
}

function replyOf({ statusCode = 0, headers }: http.IncomingMessage, text: string): ApiReply {
  const seconds = Number(headers['retry-after'] ?? Number.NaN)
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    body = undefined // A proxy's page in between, or nothing: the status says enough.
  }
  return {
    status: statusCode,
    body,
    retryAfterMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined,
  }
}
