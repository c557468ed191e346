/** The error that carries one of the stable codes, and what becomes of it at a process's edges. */
import { type ErrorEntry, errorCodes } from './error-codes.ts'

export { type ErrorEntry, errorCodes } from './error-codes.ts'

/** One of the stable codes. */
export type ErrorCode = keyof typeof errorCodes

/** A failure with a stable code, a sentence for people, and optionally the single problems behind it. */
export class WeftError extends Error {
  override readonly name = 'WeftError'
  readonly code: ErrorCode
  readonly detail: readonly string[] | undefined

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; detail?: readonly string[] }) {
    super(message, options !== undefined && 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.detail = options?.detail
  }
}

/** The table's entry of a code. */
export function errorEntry(code: ErrorCode): ErrorEntry {
  return errorCodes[code]
}

/** Any thrown value as a WeftError; what has no code becomes INTERNAL. */
export function toWeftError(error: unknown): WeftError {
  return error instanceof WeftError ? error : new WeftError('INTERNAL', reasonOf(error), { cause: error })
}

/** The message of any thrown value, never empty. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.message !== '') return error.message
  // Node's AggregateError of several connect attempts has no message of its own.
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  return error.name
}

/** One clear line for people: code, sentence, single problems, hint. */
export function describe(error: unknown): string {
  const { code, message, detail } = toWeftError(error)
  const { summary, hint } = errorEntry(code)
  const problems = detail === undefined || detail.length === 0 ? '' : `: ${detail.join('; ')}`
  const line = `${code}: ${message === '' ? summary : message}${problems} (${hint})`
  return line.replace(/\s*[\r\n]+\s*/g, ' ')
}

export type FailureFields = { readonly code: ErrorCode; readonly reason: string; readonly error?: unknown }

/** An expected failure in a log line: its code and why. The stack goes with faults in weft itself alone. */
export function failureFields(error: unknown): FailureFields {
  const { code, message, detail } = toWeftError(error)
  const reason = [message === '' ? errorEntry(code).summary : message, ...(detail ?? [])].join('; ')
  return code === 'INTERNAL'
    ? {
        code,
        reason,
        error,
      }
    : { code, reason }
}

/** The exit status of a process that ends because of this error. */
export function exitStatusOf(error: unknown): number {
  return errorEntry(toWeftError(error).code).exitStatus ?? 1
}

/** The system's code of an error (`ECONNREFUSED`, `EADDRINUSE`, ...), or undefined. */
export function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
