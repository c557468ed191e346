/** Arbitrary field lines, with their line ends: those that frame, those that say what becomes of the connection, others. */
import fc from 'fast-check'

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}$/)
const value = fc.stringMatching(/^(?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]{0,10}[!-~\x80-\xff])?)?$/)

/** Lines that frame, or say what becomes of the connection. */
export const meaningfulLine = fc.constantFrom(
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'Connection: Keep-Alive, X-A\r\nX-A: b\r\n',
  'Connection: close, te\r\n',
  'Connection: content-length, host\r\n',
  'Connection: Upgrade\r\nUpgrade: websocket\r\n',
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n',
  'Upgrade: websocket\r\n',
  `Connection: ${'a,'.repeat(100)}b\r\n`,
  'Keep-Alive: timeout=5\r\n',
  'Proxy-Connection: keep-alive\r\n',
  'TE: trailers\r\n',
  'Expect: 100-continue\r\n',
  'Expect: magic\r\n',
  'Trailer: X-T\r\n',
  '__proto__: x\r\n',
)
/** Lines that should not be where another of them is. */
export const framingLine = fc.constantFrom(
  'Content-Length: 0\r\n',
  'Content-Length: 3\r\n',
  'Content-Length: 003\r\n',
  'Content-Length: +3\r\n',
  'Content-Length: 0x3\r\n',
  'Content-Length: 3, 3\r\n',
  'Content-Length: \r\n',
  'Content-Length: 18446744073709551619\r\n',
  'Content-Length: 9007199254740993\r\n',
  'content-length:3 \r\n',
  'Transfer-Encoding: chunked\r\n',
  'transfer-encoding:CHUNKED\r\n',
  'Transfer-Encoding: chunked \t\r\n',
  'Transfer-Encoding: \r\n',
  'Transfer-Encoding: identity\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding: chunked, identity\r\n',
  'Transfer-Encoding: chunked, chunked\r\n',
  'Transfer-Encoding: \x0bchunked\r\n',
  'Transfer-Encoding : chunked\r\n',
  ' Transfer-Encoding: chunked\r\n',
)
export const plainLine = fc
  .tuple(token, fc.constantFrom('', ' ', '  ', '\t'), value, fc.constantFrom('', ' ', ' \t'))
  .map(([name, before, content, after]) => `${name}:${before}${content}${after}\r\n`)
