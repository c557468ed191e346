/** The response matrix: where content ends, and what comes behind it. */
import {
  broken,
  chunked,
  chunkedField,
  cut,
  getOld,
  head,
  headOld,
  numbered,
  ok,
  passes,
  reply,
  spoils,
  type ResponseRow,
} from './response-row.ts'

const cutShort: readonly ResponseRow[] = [
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
]

const noReply: readonly ResponseRow[] = [
  broken('end before any byte', ''),
  broken('reset before any byte', '', 'reset'),
  broken('end in the status line', 'HTTP/1.1 20'),
  broken('end in the fields', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A'),
  broken('reset in the fields', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A', 'reset'),
  broken('end before the empty line', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n'),
]

const untilTheEnd: readonly ResponseRow[] = [
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
]

const bodiless: readonly ResponseRow[] = [
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
  passes(
    '304 in chunks',
    `HTTP/1.1 304 Not Modified\r\n${chunkedField}\r\n`,
    `HTTP/1.1 304 Not Modified\r\n${chunkedField}\r\n`,
  ),
  spoils(
    '204 with chunks',
    `HTTP/1.1 204 No Content\r\n${chunkedField}\r\n0\r\n\r\n`,
    'HTTP/1.1 204 No Content\r\n\r\n',
  ),
  spoils(
    '1xx with a body',
    `HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\nok`,
    'HTTP/1.1 103 Early Hints\r\n\r\n',
    { failure: 'UPE' },
  ),
  passes(
    '205 has the length that it says',
    'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n',
  ),
  passes('HEAD with neither', reply(''), reply(''), { request: head }),
  passes('HEAD of an HTTP/1.0 client, chunked', chunked(''), reply('Connection: keep-alive\r\n'), {
    request: headOld,
  }),
]

export const responseBodyRows: readonly ResponseRow[] = [
  ...numbered('1.2.4', ...cutShort),
  ...numbered('1.2.5', ...noReply),
  ...numbered('1.2.6', ...untilTheEnd),
  ...numbered('1.2.7', ...leftovers),
  ...numbered('1.2.8', ...bodiless),
]
