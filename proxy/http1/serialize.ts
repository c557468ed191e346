/** Writes heads: one canonical form, whatever form the message came in. */
import type { HeaderList } from '../header-list.ts'

function fieldLines(headers: HeaderList): string {
  let text = ''
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
  return text
}

/** `hopFields` are this hop's own lines, each ending in CRLF. */
export function serializeRequestHead(
  method: string,
  target: string,
  headers: HeaderList,
  hopFields: string,
): string {
  return `${method} ${target} HTTP/1.1\r\n${fieldLines(headers)}${hopFields}\r\n`
}

/** As `serializeRequestHead`; we always answer as HTTP/1.1 (RFC 9110 2.5). */
export function serializeResponseHead(
  status: number,
  reason: string,
  headers: HeaderList,
  hopFields: string,
): string {
  return `HTTP/1.1 ${status} ${reason}\r\n${fieldLines(headers)}${hopFields}\r\n`
}
