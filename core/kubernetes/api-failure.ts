/** What a reply of the API server that is no success means for us. */
import { WeftError } from '../errors.ts'
import type { ApiReply } from './api-client.ts'

/** The message of a Status object, or undefined. */
export function statusMessage(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const { message } = body as { readonly message?: unknown }
  return typeof message === 'string' ? message : undefined
}

/** KUBERNETES_REFUSED for 401 and 403, else KUBERNETES_FAILED; `what` says what was asked for. */
export function failureOf({ status, body }: ApiReply, what: string): WeftError {
  const code = status === 401 || status === 403 ? 'KUBERNETES_REFUSED' : 'KUBERNETES_FAILED'
  return new WeftError(code, `${what}: ${status} ${statusMessage(body) ?? ''}`.trim())
}
