/** Writes heads: one canonical form, whatever form the message came in. `hopFields` are this hop's own lines. */
import type { HeaderList } from '../header-list.ts'

export function serializeRequestHead(
  method: string,
  target: string,
  headers: HeaderList,
  hopFields: string,
): string {
  return `${method} ${target} HTTP/1.1\r\n${headers.lines}${hopFields}\r\n`
}

/** As `serializeRequestHead`; we always answer as HTTP/1.1 (RFC 9110 2.5). */
export function serializeResponseHead(
  status: number,
  reason: string,
  headers: HeaderList,
  hopFields: string,
): string {
  return `HTTP/1.1 ${status} ${reason}\r\n${headers.lines}${hopFields}\r\n`
}
