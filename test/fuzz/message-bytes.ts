/** Arbitrary bytes that are HTTP/1 messages, or were before something happened to them. Latin1 text. */
import fc from 'fast-check'
import { framingLine, meaningfulLine, plainLine } from './header-lines.ts'
import { mutated } from './mutation.ts'

const method = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('CONNECT', 'get', 'BREW', 'PRI', 'TRACE', 'M-SEARCH', 'PATC', 'SOURCE'),
  },
)
const target = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('/', '/a?b=c', '/%2f/../x;y') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '*',
      'http://app.test/',
      'http://app.test',
      'http://u@b/',
      'https://a/',
      'a:1',
      '/a#b',
      '/\xe9',
      'x',
      '/a|"',
    ),
  },
)
const requestVersion = fc.oneof(
  { weight: 16, arbitrary: fc.constant('HTTP/1.1') },
  { weight: 3, arbitrary: fc.constant('HTTP/1.0') },
  { weight: 1, arbitrary: fc.constantFrom('HTTP/1.2', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.10') },
)
const host = fc.oneof(
  { weight: 16, arbitrary: fc.constantFrom('Host: app.test\r\n', 'host:app.test:80\r\n') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      'Host: \r\n',
      'Host: a b\r\n',
      'Host: a\r\nHost: b\r\n',
      'Host: [::1]:80\r\n',
      'Host: u@a\r\n',
    ),
  },
)

const lines = fc
  .array(fc.oneof({ weight: 4, arbitrary: plainLine }, { weight: 2, arbitrary: meaningfulLine }), {
    maxLength: 4,
  })
  .map((all) => all.join(''))

const content = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[a-z]{0,12}$/) },
  // Content that reads like what could follow it.
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '0\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      '\r\n',
      'HTTP/1.1 200 OK\r\n\r\n',
    ),
  },
)
const extension = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(';', ';a', ';;a', ';a=b', ';a="b;c"', ' ;a', ';a\x01', ';\xe9', '; a = b '),
  },
)
const sizeOf = (length: number, form: number): string =>
  form === 0
    ? length.toString(16).toUpperCase()
    : form === 1
      ? length.toString(16).padStart(4, '0')
      : length.toString(16)
const chunk = fc
  .tuple(
    content.filter((text) => text !== ''),
    extension,
    fc.nat({ max: 8 }),
  )
  .map(([text, ext, form]) => `${sizeOf(text.length, form)}${ext}\r\n${text}\r\n`)
const trailers = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: plainLine },
  { weight: 1, arbitrary: framingLine },
)
const chunkedBody = fc
  .tuple(fc.array(chunk, { maxLength: 3 }), extension, trailers)
  .map(([chunks, ext, tail]) => `${chunks.join('')}0${ext}\r\n${tail}\r\n`)

const codingLine = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom('Transfer-Encoding: chunked\r\n', 'transfer-encoding:CHUNKED\r\n'),
  },
  { weight: 1, arbitrary: framingLine },
  { weight: 1, arbitrary: fc.constant('Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n') },
)

/** The lines that frame a body, and the body. */
const framed = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ line: '', body: '' }) },
  { weight: 3, arbitrary: content.map((body) => ({ line: `Content-Length: ${body.length}\r\n`, body })) },
  { weight: 4, arbitrary: fc.tuple(codingLine, chunkedBody).map(([line, body]) => ({ line, body })) },
)

const request = fc
  .tuple(method, target, requestVersion, host, lines, framed, lines)
  .map(
    ([verb, path, version, hostLine, before, { line, body }, after]) =>
      `${verb} ${path} ${version}\r\n${hostLine}${before}${line}${after}\r\n${body}`,
  )

const statusLine = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.constantFrom(
      'HTTP/1.1 200 OK',
      'HTTP/1.1 404 Not Found',
      'HTTP/1.1 204 No Content',
      'HTTP/1.1 304 Not Modified',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('HTTP/1.0 200 OK', 'HTTP/1.1 200', 'HTTP/1.1 200 ', 'HTTP/1.1 500 caf\xe9'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'HTTP/1.1 101 Switching Protocols',
      'HTTP/1.1 99 A',
      'HTTP/1.1 1000 A',
      'HTTP/2.0 200 OK',
      'HTTP/1.2 200 OK',
      'HTTP/1.1 999 A',
      'HTTP/1.1  200 OK',
    ),
  },
)
const interim = fc.oneof(
  { weight: 8, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'HTTP/1.1 100 Continue\r\n\r\n',
      'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n',
      'HTTP/1.1 102 P\r\nContent-Length: 0\r\n\r\n',
    ),
  },
)
const response = fc
  .tuple(interim, statusLine, lines, framed, lines)
  .map(
    ([first, line, before, { line: framing, body }, after]) =>
      `${first}${line}\r\n${before}${framing}${after}\r\n${body}`,
  )

/** One to three requests behind each other. */
export const requestBytes: fc.Arbitrary<string> = mutated(
  fc.array(request, { minLength: 1, maxLength: 3 }).map((all) => all.join('')),
)

/** One reply, perhaps with something behind it. */
export const responseBytes: fc.Arbitrary<string> = mutated(
  fc
    .tuple(response, fc.oneof({ weight: 8, arbitrary: fc.constant('') }, { weight: 1, arbitrary: response }))
    .map((all) => all.join('')),
)
