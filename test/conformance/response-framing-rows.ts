/** The response matrix: how long a reply is, and how its chunks are written (the latter as in the request's rows). */
import {
  badChunks,
  chunked,
  chunkedField,
  getTrailers,
  numbered,
  ok,
  passes,
  refused,
  reply,
  type ResponseRow,
} from './response-row.ts'

const empty = '0\r\n\r\n'
const withLength = (value: string): ResponseRow =>
  refused(`Content-Length ${JSON.stringify(value)}`, reply(`Content-Length: ${value}\r\n`, 'abc'))
const withCoding = (value: string): ResponseRow =>
  refused(`Transfer-Encoding ${JSON.stringify(value)}`, reply(`Transfer-Encoding: ${value}\r\n`, empty))

const good: readonly ResponseRow[] = [
  passes('Content-Length', ok, ok),
  passes('Content-Length: 0', reply('Content-Length: 0\r\n'), reply('Content-Length: 0\r\n')),
  passes('chunked', chunked('3\r\nabc\r\n0\r\n\r\n'), chunked('3\r\nabc\r\n0\r\n\r\n')),
  passes('chunked without content', chunked(empty), chunked(empty)),
  passes(
    'many chunks',
    chunked('1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n'),
    chunked('6\r\nabcdef\r\n0\r\n\r\n'),
  ),
  passes('leading zeroes', reply('Content-Length: 003\r\n', 'abc'), reply('Content-Length: 3\r\n', 'abc')),
  passes('white space after chunked', reply('Transfer-Encoding: chunked \t\r\n', empty), chunked(empty)),
]

const lengths: readonly ResponseRow[] = [
  refused('the same Content-Length twice', reply('Content-Length: 3\r\nContent-Length: 3\r\n', 'abc')),
  refused('two Content-Lengths', reply('Content-Length: 3\r\nContent-Length: 4\r\n', 'abc')),
  ...['3, 3', '3, 4'].map(withLength),
]

const codings: readonly ResponseRow[] = [
  ...[
    'xchunked',
    '"chunked"',
    'gzip',
    'identity',
    'chunked, identity',
    'chunked,chunked',
    'gzip, chunked',
    ',chunked',
    '',
    '\vchunked',
    'chunked\xa0',
  ].map(withCoding),
  refused('chunked in two fields', reply(chunkedField + chunkedField, empty)),
  refused('chunked in HTTP/1.0', `HTTP/1.0 200 OK\r\n${chunkedField}\r\n${empty}`),
]

const chunks: readonly ResponseRow[] = [
  ...numbered(
    '1.1.40',
    passes(
      'chunk extension is dropped',
      chunked('3;a=b\r\nabc\r\n0;c\r\n\r\n'),
      chunked('3\r\nabc\r\n0\r\n\r\n'),
    ),
    badChunks('extensions too long', `3;${'a'.repeat(5000)}\r\nabc\r\n0\r\n\r\n`),
  ),
  ...numbered(
    '1.1.41',
    badChunks('size ended by LF', '3\nabc\r\n0\r\n\r\n'),
    badChunks('extension ended by LF', '3;a\nabc\r\n0\r\n\r\n'),
    badChunks('data ended by LF', '3\r\nabc\n0\r\n\r\n'),
  ),
  ...numbered(
    '1.1.42',
    ...['0x3', '+3', '-1', ' 3', '', '3G', '10000000000000003'].map((size) =>
      badChunks(`chunk size ${JSON.stringify(size)}`, `${size}\r\nabc\r\n0\r\n\r\n`),
    ),
  ),
  ...numbered('1.1.43', badChunks('space after the chunk size', '3 \r\nabc\r\n0\r\n\r\n')),
  ...numbered('1.1.44', badChunks('chunk size of 9 digits', '000000003\r\nabc\r\n0\r\n\r\n')),
  ...numbered('1.1.45', badChunks('data not followed by CRLF', '3\r\nabcX0\r\n\r\n')),
  ...numbered(
    '1.1.46',
    passes(
      'trailers are dropped without TE',
      chunked('3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n'),
      chunked('3\r\nabc\r\n0\r\n\r\n'),
    ),
    passes(
      'trailers pass with TE: trailers',
      chunked('3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n'),
      chunked('3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n'),
      { request: getTrailers },
    ),
  ),
  ...numbered(
    '1.1.47',
    passes(
      'trailers that frame, route, authorise or control are dropped',
      chunked(
        '0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: a\r\nAuthorization: b\r\nSet-Cookie: c\r\nCache-Control: d\r\nIf-Match: e\r\nLocation: f\r\nX-Forwarded-For: g\r\nWeft-Error: h\r\nConnection: i\r\nKeep-Alive: j\r\nTE: k\r\nX-T: 1\r\n\r\n',
      ),
      chunked('0\r\nX-T: 1\r\n\r\n'),
      { request: getTrailers },
    ),
  ),
  ...numbered(
    '1.1.48',
    badChunks('malformed trailer', '3\r\nabc\r\n0\r\nbad trailer\r\n\r\n', getTrailers),
    badChunks('trailer line ended by LF', '3\r\nabc\r\n0\r\nX-T: 1\n\r\n\r\n', getTrailers),
    badChunks('folded trailer', '3\r\nabc\r\n0\r\nX-T: 1\r\n 2\r\n\r\n', getTrailers),
  ),
]

export const responseFramingRows: readonly ResponseRow[] = [
  ...numbered('1.2.0', ...good),
  ...numbered(
    '1.2.1',
    refused('Content-Length and chunked', reply(`Content-Length: 3\r\n${chunkedField}`, empty)),
    refused('chunked and Content-Length', reply(`${chunkedField}Content-Length: 3\r\n`, empty)),
  ),
  ...numbered('1.2.2', ...lengths),
  ...numbered(
    '1.1.10',
    ...['+3', '-3', '0x3', '1e1', '3 3', '', '9007199254740993', '18446744073709551619'].map(withLength),
  ),
  ...numbered('1.2.3', ...codings),
  ...chunks,
]
