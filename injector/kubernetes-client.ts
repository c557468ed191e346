/** Single requests to the API server: JSON over HTTP. */
import { Agent, request } from 'undici'
import { reasonOf, toWeftError, WeftError } from '../core/errors.ts'
import { version } from '../core/version.ts'
import type { KubernetesConnection } from './kubernetes-connection.ts'

export type ApiReply = { readonly status: number; readonly body: unknown }

/** What asks the API server. */
export interface KubernetesApi {
  /** Whatever it answers, also a refusal. Rejects with KUBERNETES_UNREACHABLE. */
  request(method: 'GET' | 'PUT', path: string, body?: object): Promise<ApiReply>
}

/** Admission waits for it, and the API server for admission. */
const requestTimeoutMs = 4_000

export class KubernetesClient implements KubernetesApi {
  readonly #connection: KubernetesConnection
  readonly #agent: Agent

  constructor(connection: KubernetesConnection) {
    this.#connection = connection
    const { ca, cert, key } = connection
    this.#agent = new Agent({
      connect: {
        timeout: requestTimeoutMs,
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined || key === undefined ? {} : { cert, key }),
      },
      headersTimeout: requestTimeoutMs,
      bodyTimeout: requestTimeoutMs,
    })
  }

  async request(method: 'GET' | 'PUT', path: string, body?: object): Promise<ApiReply> {
    try {
      const token = this.#connection.token()
      const reply = await request(`${this.#connection.server}${path}`, {
        method,
        dispatcher: this.#agent,
        headers: {
          accept: 'application/json',
          'user-agent': `weft-injector/${version}`,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(requestTimeoutMs),
      })
      return { status: reply.statusCode, body: parsed(await reply.body.text()) }
    } catch (error) {
      if (error instanceof WeftError) throw toWeftError(error)
      throw new WeftError('KUBERNETES_UNREACHABLE', reasonOf(error), { cause: error })
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // A page of something in between: the status says enough.
  }
}

/** KUBERNETES_REFUSED for 401 and 403, else KUBERNETES_FAILED; `what` says what was asked for. */
export function failureOf({ status, body }: ApiReply, what: string): WeftError {
  const message = (body as { readonly message?: unknown } | null | undefined)?.message
  const code = status === 401 || status === 403 ? 'KUBERNETES_REFUSED' : 'KUBERNETES_FAILED'
  return new WeftError(code, `${what}: ${status} ${typeof message === 'string' ? message : ''}`.trim())
}
