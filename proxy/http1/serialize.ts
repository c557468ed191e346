/** Writes heads: one canonical form, whatever form the message came in. `hopFields` are this hop's own lines. */
import type { Exchange } from '../exchange.ts'
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

/** The head of the request that `x` is. */
export function requestHeadText(x: Exchange): string {
  let hopFields = x.acceptsTrailers ? 'Connection: TE\r\nTE: trailers\r\n' : ''
  if (x.upgrade !== undefined) hopFields = `Connection: Upgrade\r\nUpgrade: ${x.upgrade}\r\n`
  if (x.expectsContinue) hopFields += 'Expect: 100-continue\r\n'
  if (x.authority === '' && x.headers.get('host') === undefined) hopFields += `Host: ${x.upstreamAddress}\r\n`
  return serializeRequestHead(x.method, x.target, x.headers, hopFields)
}
