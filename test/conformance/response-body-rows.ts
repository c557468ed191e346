/** The response matrix: framing, content and ends. */
import {
  badChunks,
  broken,
  chunked,
  chunkedField,
  cut,
  getOld,
  getTrailers,
  head,
  headOld,
  ok,
  passes,
  refused,
  reply,
  spoils,
  type ResponseRow,
} from './response-row.ts'

const framing: readonly ResponseRow[] = [
  passes('Content-Length', ok, ok),
  passes('Content-Length: 0', reply('Content-Length: 0\r\n'), reply('Content-Length: 0\r\n')),
  passes('chunked', chunked('3\r\nabc\r\n0\r\n\r\n'), chunked('3\r\nabc\r\n0\r\n\r\n')),
  passes('chunked without content', chunked('0\r\n\r\n'), chunked('0\r\n\r\n')),
  passes('leading zeroes', reply('Content-Length: 003\r\n', 'abc'), reply('Content-Length: 3\r\n', 'abc')),
  passes(
    'white space after chunked',
    reply('Transfer-Encoding: chunked \t\r\n', '0\r\n\r\n'),
    chunked('0\r\n\r\n'),
  ),
  refused('Content-Length and chunked', reply(`Content-Length: 3\r\n${chunkedField}`, '0\r\n\r\n')),
  refused('chunked and Content-Length', reply(`${chunkedField}Content-Length: 3\r\n`, '0\r\n\r\n')),
  refused('the same Content-Length twice', reply('Content-Length: 3\r\nContent-Length: 3\r\n', 'abc')),
  refused('two Content-Lengths', reply('Content-Length: 3\r\nContent-Length: 4\r\n', 'abc')),
  ...['3, 3', '+3', '-3', '0x3', '1e1', '3 3', '', '9007199254740993', '18446744073709551619'].map((value) =>
    refused(`Content-Length ${JSON.stringify(value)}`, reply(`Content-Length: ${value}\r\n`, 'abc')),
  ),
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
  ].map((value) =>
    refused(
      `Transfer-Encoding ${JSON.stringify(value)}`,
      reply(`Transfer-Encoding: ${value}\r\n`, '0\r\n\r\n'),
    ),
  ),
  refused('chunked twice', reply(chunkedField + chunkedField, '0\r\n\r\n')),
  refused('chunked in HTTP/1.0', `HTTP/1.0 200 OK\r\n${chunkedField}\r\n0\r\n\r\n`),
]

const chunks: readonly ResponseRow[] = [
  passes(
    'chunk extension is dropped',
    chunked('3;a=b\r\nabc\r\n0;c\r\n\r\n'),
    chunked('3\r\nabc\r\n0\r\n\r\n'),
  ),
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
  passes(
    'trailers that frame, route, authorise or control are dropped',
    chunked(
      '0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: a\r\nAuthorization: b\r\nSet-Cookie: c\r\nCache-Control: d\r\nIf-Match: e\r\nLocation: f\r\nX-Forwarded-For: g\r\nWeft-Error: h\r\nConnection: i\r\nKeep-Alive: j\r\nTE: k\r\nX-T: 1\r\n\r\n',
    ),
    chunked('0\r\nX-T: 1\r\n\r\n'),
    { request: getTrailers },
  ),
  ...['0x3', '+3', '-1', ' 3', '', '3G', '3 ', '000000003'].map((size) =>
    badChunks(`chunk size ${JSON.stringify(size)}`, `${size}\r\nabc\r\n0\r\n\r\n`),
  ),
  badChunks('size ended by LF', '3\nabc\r\n0\r\n\r\n'),
  badChunks('extension ended by LF', '3;a\nabc\r\n0\r\n\r\n'),
  badChunks('data ended by LF', '3\r\nabc\n0\r\n\r\n'),
  badChunks('data not followed by CRLF', '3\r\nabcX0\r\n\r\n'),
  badChunks('extensions too long', `3;${'a'.repeat(5000)}\r\nabc\r\n0\r\n\r\n`),
  badChunks('malformed trailer', '3\r\nabc\r\n0\r\nbad trailer\r\n\r\n', getTrailers),
  badChunks('trailer line ended by LF', '3\r\nabc\r\n0\r\nX-T: 1\n\r\n\r\n', getTrailers),
  badChunks('folded trailer', '3\r\nabc\r\n0\r\nX-T: 1\r\n 2\r\n\r\n', getTrailers),
]

const endings: readonly ResponseRow[] = [
  broken('end before any byte', ''),
  broken('reset before any byte', '', 'reset'),
  broken('end in the status line', 'HTTP/1.1 20'),
  broken('end in the fields', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A'),
  broken('reset in the fields', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A', 'reset'),
  broken('end before the empty line', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n'),
  cut('end in the middle of Content-Length', ok.slice(0, -1), ok.slice(0, -1)),
  cut('end before the content', ok.slice(0, -2), ok.slice(0, -2)),
  cut('reset in the middle of Content-Length', ok.slice(0, -1), ok.slice(0, -1), {
    ending: 'reset',
    closed: 'early',
  }),
  cut('end before the first chunk', chunked(''), chunked('')),
  cut('end in a chunk size', chunked('3\r\nabc\r\n1'), chunked('3\r\nabc\r\n')),
  cut('end in the middle of a chunk', chunked('5\r\nabc'), chunked('3\r\nabc\r\n')),
  cut('end between chunks', chunked('3\r\nabc\r\n'), chunked('3\r\nabc\r\n')),
  cut('end in the last chunk', chunked('3\r\nabc\r\n0\r\n'), chunked('3\r\nabc\r\n')),
  cut('end in the trailers', chunked('3\r\nabc\r\n0\r\nX-T: 1\r\n'), chunked('3\r\nabc\r\n')),
  cut(
    'end in the middle of a chunk, HTTP/1.0 client',
    chunked('5\r\nabc'),
    reply('Connection: close\r\n', 'abc'),
    {
      request: getOld,
      closed: 'reset',
    },
  ),
  spoils(
    'body until the end becomes chunked',
    reply('X-A: b\r\n', 'abc'),
    reply(`X-A: b\r\n${chunkedField}`, '3\r\nabc\r\n0\r\n\r\n'),
    {
      ending: 'fin',
    },
  ),
  spoils('no body until the end', reply(''), chunked('0\r\n\r\n'), { ending: 'fin' }),
  spoils(
    'body until the end of an HTTP/1.0 reply',
    'HTTP/1.0 200 OK\r\n\r\nabc',
    chunked('3\r\nabc\r\n0\r\n\r\n'),
    {
      ending: 'fin',
    },
  ),
  spoils(
    'body until the end closes an HTTP/1.0 client',
    reply('', 'abc'),
    reply('Connection: close\r\n', 'abc'),
    {
      request: getOld,
      ending: 'fin',
      closed: 'cut',
    },
  ),
  cut('reset in a body until the end', reply('', 'abc'), chunked('3\r\nabc\r\n'), {
    ending: 'reset',
    closed: 'early',
  }),
  cut(
    'reset in a body until the end, HTTP/1.0 client',
    reply('', 'abc'),
    reply('Connection: close\r\n', 'abc'),
    {
      request: getOld,
      ending: 'reset',
      closed: 'reset',
    },
  ),
  passes(
    'chunked body closes an HTTP/1.0 client',
    chunked('3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n'),
    reply('Connection: close\r\n', 'abc'),
    {
      request: getOld,
      closed: 'cut',
    },
  ),
]

const leftovers: readonly ResponseRow[] = [
  spoils('a byte after Content-Length', `${ok}x`, ok),
  spoils('a second reply', `${ok}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`, ok),
  spoils(
    'a reply after the last chunk',
    `${chunked('2\r\nok\r\n0\r\n\r\n')}${ok}`,
    chunked('2\r\nok\r\n0\r\n\r\n'),
  ),
  spoils(
    'bytes after Content-Length: 0',
    reply('Content-Length: 0\r\n', 'x'),
    reply('Content-Length: 0\r\n'),
  ),
  spoils('an empty line after the reply', `${ok}\r\n`, ok),
  spoils(
    '204 with a body',
    'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok',
    'HTTP/1.1 204 No Content\r\n\r\n',
  ),
  spoils(
    '304 with a body',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nok',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n',
  ),
  spoils('HEAD with a body', ok, reply('Content-Length: 2\r\n'), { request: head }),
  spoils('HEAD with chunks', chunked('2\r\nok\r\n0\r\n\r\n'), chunked(''), { request: head }),
]

const bodiless: readonly ResponseRow[] = [
  passes('204', 'HTTP/1.1 204 No Content\r\n\r\n', 'HTTP/1.1 204 No Content\r\n\r\n'),
  passes(
    '204 with Content-Length',
    'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 204 No Content\r\n\r\n',
  ),
  passes(
    '204 with chunked',
    `HTTP/1.1 204 No Content\r\n${chunkedField}\r\n`,
    'HTTP/1.1 204 No Content\r\n\r\n',
  ),
  passes('304', 'HTTP/1.1 304 Not Modified\r\n\r\n', 'HTTP/1.1 304 Not Modified\r\n\r\n'),
  passes(
    '304 keeps the length of what it stands for',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n',
  ),
  passes('HEAD keeps Content-Length', reply('Content-Length: 9\r\n'), reply('Content-Length: 9\r\n'), {
    request: head,
  }),
  passes('HEAD keeps chunked', chunked(''), chunked(''), { request: head }),
  passes('HEAD with neither', reply(''), reply(''), { request: head }),
  passes('HEAD of an HTTP/1.0 client, chunked', chunked(''), reply('Connection: keep-alive\r\n'), {
    request: headOld,
  }),
]

export const responseBodyRows: readonly ResponseRow[] = [
  ...framing,
  ...chunks,
  ...endings,
  ...leftovers,
  ...bodiless,
]
