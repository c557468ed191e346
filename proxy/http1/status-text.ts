import { STATUS_CODES } from 'node:http'

/** The reason phrase of `status`, empty for a code without one. */
export function statusText(status: number): string {
  return STATUS_CODES[status] ?? ''
}
