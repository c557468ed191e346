/** The response matrix: interim replies, the grammar of heads, limits, and what ends at this hop. */
import {
  getOld,
  hints,
  numbered,
  ok,
  passes,
  refused,
  reply,
  spoils,
  upgrade,
  type ResponseRow,
} from './response-row.ts'

const interim: readonly ResponseRow[] = [
  passes('100 that nobody asked for', `HTTP/1.1 100 Continue\r\n\r\n${ok}`, ok),
  passes('103', hints + ok, hints + ok),
  passes(
    '103 with Content-Length',
    `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 2\r\n\r\n${ok}`,
    hints + ok,
  ),
  spoils(
    '103 with Connection: close',
    `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: close\r\n\r\n${ok}`,
    hints + ok,
  ),
  spoils('103 in HTTP/1.0', (hints + ok).replace('1.1 103', '1.0 103'), hints + ok),
  passes('100 and 103', `HTTP/1.1 100 Continue\r\n\r\n${hints}${ok}`, hints + ok),
  passes(
    'interim replies to an HTTP/1.0 client',
    hints + ok,
    reply('Content-Length: 2\r\nConnection: close\r\n', 'ok'),
    {
      request: getOld,
      closed: 'cut',
    },
  ),
  passes('8 interim replies', hints.repeat(8) + ok, hints.repeat(8) + ok),
  spoils('9 interim replies', hints.repeat(9) + ok, hints.repeat(8), { failure: 'UPE' }),
  spoils('end after an interim reply', hints, hints, { failure: 'UC', ending: 'fin' }),
  refused('interim reply with a malformed field', 'HTTP/1.1 103 Early Hints\r\nLink : a\r\n\r\n'),
]

const unasked: readonly ResponseRow[] = [
  refused(
    '101 that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  ),
  refused(
    '101 for another protocol',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
    {
      request: upgrade,
    },
  ),
  refused('101 without Upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', { request: upgrade }),
  refused(
    '101 whose Upgrade is not nominated (RFC 9110 7.8)',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n',
    { request: upgrade },
  ),
  refused(
    '101 in HTTP/1.0',
    'HTTP/1.0 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    { request: upgrade },
  ),
  passes('200 in answer to an upgrade stays HTTP', ok, ok, { request: upgrade }),
]

const badField = (name: string, fields: string): ResponseRow =>
  refused(name, reply(`${fields}Content-Length: 2\r\n`, 'ok'))
const statusLine = (line: string): ResponseRow =>
  refused(`status line ${JSON.stringify(line)}`, `${line}\r\nContent-Length: 2\r\n\r\nok`)

const foldsAndNul: readonly ResponseRow[] = [
  badField('folded line', 'X-A: b\r\n c\r\n'),
  badField('line folded with a tab', 'X-A: b\r\n\tc\r\n'),
  badField('space before the first field', ' X-A: b\r\n'),
  badField('NUL in a value', 'X-A: a\0b\r\n'),
  badField('control in a value', 'X-A: a\x01b\r\n'),
  badField('DEL in a value', 'X-A: a\x7fb\r\n'),
]

const colonsAndCarriageReturns: readonly ResponseRow[] = [
  badField('space before the colon', 'X-A : b\r\n'),
  badField('tab before the colon', 'X-A\t: b\r\n'),
  badField('bare CR in a value', 'X-A: a\rb\r\n'),
  badField('CR CR LF', 'X-A: a\r\r\n'),
  badField('bare LF after a field', 'X-A: a\n'),
  refused('bare CR before the empty line', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\rX\r\n\r\n'),
  refused('bare LF line ends', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'),
  refused('bare LF after the status line', 'HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok'),
]

const names: readonly ResponseRow[] = [
  badField('field without a colon', 'Foo\r\n'),
  badField('empty field name', ': a\r\n'),
  badField('name that is no token', 'X(Y: a\r\n'),
  badField('byte above 0x80 in a name', 'X-\xe9: a\r\n'),
  passes(
    'names keep their case, repeated fields their places',
    reply('x-a: 1\r\nSET-COOKIE: a\r\nX-a:2\t\r\nset-cookie: b\r\nContent-Length: 0\r\n'),
    reply('x-a: 1\r\nSET-COOKIE: a\r\nX-a: 2\r\nset-cookie: b\r\nContent-Length: 0\r\n'),
  ),
]

const statusLines: readonly ResponseRow[] = [
  ...[
    'HTTP/1.1 99 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 1000 OK',
    'HTTP/1.1 600 OK',
    'HTTP/1.1 2x0 OK',
    'HTTP/1.1 +20 OK',
    'HTTP/1.1 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1 200\tOK',
    'HTTP/2.0 200 OK',
    'HTTP/1.2 200 OK',
    'HTTP/1.10 200 OK',
    'http/1.1 200 OK',
    'ICY 200 OK',
    ' HTTP/1.1 200 OK',
    '\r\nHTTP/1.1 200 OK',
    'HTTP/1.1 200 O\0K',
    'HTTP/1.1 200 O\x01K',
    'HTTP/1.1 200 O\rK',
  ].map(statusLine),
  passes('status 599', ok.replace('200', '599'), ok.replace('200', '599')),
]

const reasons: readonly ResponseRow[] = [
  passes(
    'no reason phrase',
    'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok',
    'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok',
  ),
  passes(
    'neither reason phrase nor space',
    'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok',
    'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok',
  ),
  passes(
    'bytes above 0x80 in it, in values and in the body',
    'HTTP/1.1 200 caf\xe9\r\nX-A: \xe9\xff\r\nContent-Length: 2\r\n\r\n\xe9\xff',
    'HTTP/1.1 200 caf\xe9\r\nX-A: \xe9\xff\r\nContent-Length: 2\r\n\r\n\xe9\xff',
  ),
]

const fieldCount = (count: number): string =>
  Array.from({ length: count - 1 }, (_, i) => `X-${i}: a\r\n`).join('') + 'Content-Length: 0\r\n'

const limits: readonly ResponseRow[] = [
  passes('100 fields', reply(fieldCount(100)), reply(fieldCount(100))),
  refused('101 fields', reply(fieldCount(101))),
  refused('head above 60 KiB', reply(`X-A: ${'a'.repeat(62_000)}\r\nContent-Length: 0\r\n`)),
  refused('head above 60 KiB without an end', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(62_000)}`),
]

const hops: readonly ResponseRow[] = [
  spoils('Connection: close ends here', reply('Connection: close\r\nContent-Length: 2\r\n', 'ok'), ok),
  spoils(
    'Connection: keep-alive, close',
    reply('Connection: keep-alive, close\r\nContent-Length: 2\r\n', 'ok'),
    ok,
  ),
  spoils('HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', ok),
  spoils(
    'HTTP/1.0 with keep-alive',
    'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok',
    ok,
  ),
  passes(
    'nominated and hop-by-hop fields are stripped',
    reply(
      'Connection: X-Foo\r\nX-Foo: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: a\r\nUpgrade: h2c\r\nContent-Length: 2\r\n',
      'ok',
    ),
    ok,
  ),
  passes(
    'framing cannot be nominated',
    reply('Connection: content-length\r\nContent-Length: 2\r\n', 'ok'),
    ok,
  ),
  passes(
    'framing cannot be nominated: chunked',
    reply('Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n', '2\r\nok\r\n0\r\n\r\n'),
    reply('Transfer-Encoding: chunked\r\n', '2\r\nok\r\n0\r\n\r\n'),
  ),
]

export const responseHeadRows: readonly ResponseRow[] = [
  ...numbered('1.2.9', ...interim),
  ...numbered('1.2.10', ...unasked),
  ...numbered('1.2.11', ...foldsAndNul),
  ...numbered('1.2.12', ...colonsAndCarriageReturns),
  ...numbered('1.2.13', ...names),
  ...numbered('1.2.14', ...statusLines),
  ...numbered('1.2.15', ...reasons),
  ...numbered('1.1.57', ...limits),
  ...numbered('1.1.50', ...hops),
]
