/** Every row of the request matrix through a real sidecar on real sockets, whole and at every split point. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PlainDataPath, startPlainDataPath } from '../support/plain-data-path.ts'
import { exchangeRaw, type RawServer, startRawServer } from '../support/raw-tcp.ts'

type Row = {
  readonly name: string
  readonly request: string
  readonly status: number
  /** A part of what reaches the application, or undefined when nothing may. */
  readonly forwarded?: string | RegExp
  readonly notForwarded?: RegExp
}

const host = 'Host: app.test\r\n'
const get = (fields: string): string => `GET / HTTP/1.1\r\n${host}${fields}\r\n`
const post = (fields: string, body: string): string => `POST / HTTP/1.1\r\n${host}${fields}\r\n${body}`
const chunkedPost = (body: string): string => post('Transfer-Encoding: chunked\r\n', body)
const ok = (name: string, request: string, forwarded: string | RegExp, notForwarded?: RegExp): Row =>
  notForwarded === undefined
    ? { name, request, status: 200, forwarded }
    : { name, request, status: 200, forwarded, notForwarded }
const refused = (name: string, request: string, status = 400): Row => ({ name, request, status })

const rows: readonly Row[] = [
  refused(
    '1 Content-Length and chunked',
    post('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  ),
  refused(
    '1 chunked and Content-Length',
    post('Transfer-Encoding: chunked\r\nContent-Length: 3\r\n', '0\r\n\r\n'),
  ),
  refused('2 xchunked', post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n')),
  refused('2 quoted chunked', post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n')),
  refused('2 chunked, identity', post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n')),
  refused('2 chunked twice', post('Transfer-Encoding: chunked,chunked\r\n', '0\r\n\r\n')),
  refused('2 vertical tab before chunked', post('Transfer-Encoding: \vchunked\r\n', '0\r\n\r\n')),
  refused('3 gzip, chunked', post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'), 501),
  refused('3 empty coding before chunked', post('Transfer-Encoding: ,chunked\r\n', '0\r\n\r\n'), 501),
  refused(
    '4 two Transfer-Encoding',
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n'),
  ),
  refused('5 empty Transfer-Encoding', post('Transfer-Encoding:\r\n', '0\r\n\r\n')),
  ok(
    '6 white space after chunked',
    post('Transfer-Encoding: chunked\t \r\n', '0\r\n\r\n'),
    'Transfer-Encoding: chunked\r\n',
  ),
  refused('7 chunked in HTTP/1.0', `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
  refused('8 the same Content-Length twice', post('Content-Length: 3\r\nContent-Length: 3\r\n', 'abc')),
  refused('8 Content-Length as a list', post('Content-Length: 3, 3\r\n', 'abc')),
  refused('9 two Content-Lengths', post('Content-Length: 3\r\nContent-Length: 4\r\n', 'abc')),
  ...['+3', '-3', '0x3', '3 3', ''].map((value) =>
    refused(`10 Content-Length ${JSON.stringify(value)}`, post(`Content-Length: ${value}\r\n`, 'abc')),
  ),
  ok('11 leading zeroes', post('Content-Length: 003\r\n', 'abc'), 'Content-Length: 3\r\n'),
  refused('12 Content-Length 2^64+3', post('Content-Length: 18446744073709551619\r\n', 'abc')),
  refused('12 Content-Length above 2^53', post('Content-Length: 9007199254740993\r\n', 'abc')),
  refused('13 space before the colon', get('X-A : b\r\n')),
  refused('13 tab before the colon', get('X-A\t: b\r\n')),
  refused('14 folded line', get('X-A: b\r\n c\r\n')),
  refused('14 folded Transfer-Encoding', post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n')),
  refused('15 space before the first field', `GET / HTTP/1.1\r\n Host: app.test\r\n\r\n`),
  refused('16 field without a colon', get('Foo\r\n')),
  refused('17 empty field name', get(': a\r\n')),
  refused('18 NUL in a value', get('X-A: a\0b\r\n')),
  refused('19 control in a value', get('X-A: a\x01b\r\n')),
  refused('19 DEL in a value', get('X-A: a\x7fb\r\n')),
  ok('20 bytes above 0x80 in a value', get('X-A: caf\xe9\r\n'), 'X-A: caf\xe9\r\n'),
  refused('21 name that is no token', get('X(Y: a\r\n')),
  refused('22 lone LF line ends', 'GET / HTTP/1.1\nHost: app.test\n\n'),
  refused('23 lone CR in a value', get('X-A: a\rb\r\n')),
  refused('24 CR CR LF', get('X-A: a\r\r\n')),
  refused('25 no Host', 'GET / HTTP/1.1\r\n\r\n'),
  refused('26 two Hosts', `GET / HTTP/1.1\r\n${host}Host: other\r\n\r\n`),
  ...['a b', 'x@a', ''].map((value) =>
    refused(`27 Host ${JSON.stringify(value)}`, `GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`),
  ),
  ok(
    '28 absolute form overrides Host',
    'GET http://app.test/x HTTP/1.1\r\nHost: other\r\n\r\n',
    'GET /x HTTP/1.1\r\nHost: app.test\r\n',
  ),
  ok(
    '28 absolute form overrides Host behind a nominated field',
    'GET http://app.test/x HTTP/1.1\r\nX-Foo: 1\r\nConnection: X-Foo\r\nHost: other\r\n\r\n',
    'GET /x HTTP/1.1\r\nHost: app.test\r\n\r\n',
  ),
  refused('29 userinfo in the target', 'GET http://u@app.test/ HTTP/1.1\r\nHost: app.test\r\n\r\n'),
  refused('30 CONNECT', 'CONNECT app.test:443 HTTP/1.1\r\nHost: app.test:443\r\n\r\n', 405),
  refused('31 target without a slash', `GET foo HTTP/1.1\r\n${host}\r\n`),
  refused('31 control in the target', `GET /a\x01 HTTP/1.1\r\n${host}\r\n`),
  refused('32 fragment in the target', `GET /a#b HTTP/1.1\r\n${host}\r\n`),
  refused('33 byte above 0x80 in the target', `GET /caf\xe9 HTTP/1.1\r\n${host}\r\n`),
  ok('35 unknown method', `BREW / HTTP/1.1\r\n${host}\r\n`, 'BREW / HTTP/1.1\r\n'),
  ok('35 lower-case method stays', `get / HTTP/1.1\r\n${host}\r\n`, 'get / HTTP/1.1\r\n'),
  refused('35 method that is no token', `G@T / HTTP/1.1\r\n${host}\r\n`),
  refused('36 two spaces in the request line', `GET  / HTTP/1.1\r\n${host}\r\n`),
  refused('36 tab in the request line', `GET\t/ HTTP/1.1\r\n${host}\r\n`),
  ok('37 one empty line before the request', `\r\n${get('')}`, 'GET / HTTP/1.1\r\n'),
  refused('38 HTTP/0.9', 'GET /\r\n\r\n'),
  ok('39 HTTP/1.2', `GET / HTTP/1.2\r\n${host}\r\n`, 'GET / HTTP/1.1\r\n'),
  refused('39 HTTP/1.10', `GET / HTTP/1.10\r\n${host}\r\n`),
  refused('39 HTTP/2.0', `GET / HTTP/2.0\r\n${host}\r\n`, 505),
  refused('39 http/1.1', `GET / http/1.1\r\n${host}\r\n`),
  ok('40 chunk extension is dropped', chunkedPost('3;a=b\r\nabc\r\n0\r\n\r\n'), '3\r\nabc\r\n0\r\n\r\n'),
  refused('40 chunk extensions too long', chunkedPost(`3;${'a'.repeat(5000)}\r\nabc\r\n0\r\n\r\n`)),
  refused('41 extension ended by LF', chunkedPost('3;a\nabc\r\n0\r\n\r\n')),
  refused('41 size ended by LF', chunkedPost('3\nabc\r\n0\r\n\r\n')),
  refused('41 data ended by LF', chunkedPost('3\r\nabc\n0\r\n\r\n')),
  ...['0x3', '+3', '-1', ' 3', '', '3G', '10000000000000003'].map((size) =>
    refused(`42 chunk size ${JSON.stringify(size)}`, chunkedPost(`${size}\r\nabc\r\n0\r\n\r\n`)),
  ),
  refused('43 space after the chunk size', chunkedPost('3  \r\nabc\r\n0\r\n\r\n')),
  refused('44 chunk size of 21 digits', chunkedPost('000000000000000000003\r\nabc\r\n0\r\n\r\n')),
  refused('45 data not followed by CRLF', chunkedPost('3\r\nabcX0\r\n\r\n')),
  ok(
    '46 trailers are dropped without TE',
    chunkedPost('3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n'),
    /0\r\n\r\n$/,
    /X-T/,
  ),
  ok(
    '46 trailers pass with TE: trailers',
    post('TE: trailers\r\nTransfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n'),
    /0\r\nX-T: 1\r\n\r\n$/,
  ),
  ok(
    '47 trailer that frames',
    post('TE: trailers\r\nTransfer-Encoding: chunked\r\n', '0\r\nContent-Length: 5\r\n\r\n'),
    /0\r\n\r\n$/,
    /Content-Length/,
  ),
  refused('48 malformed trailer', chunkedPost('0\r\nbad trailer\r\n\r\n')),
  ok(
    '49 GET with a body',
    `GET / HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\nabc`,
    /Content-Length: 3\r\n\r\nabc$/,
  ),
  ok(
    '50 nominated and hop-by-hop fields are stripped',
    get(
      'Connection: X-Foo, keep-alive\r\nX-Foo: 1\r\nKeep-Alive: a\r\nProxy-Connection: b\r\nProxy-Authorization: c\r\nX-Keep: 1\r\n',
    ),
    'X-Keep: 1\r\n',
    /X-Foo|Keep-Alive|Proxy-/i,
  ),
  ok('50 Host cannot be nominated', get('Connection: host, content-length\r\n'), 'Host: app.test\r\n'),
  ok(
    '52 h2c upgrade is stripped',
    get('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n'),
    'GET /',
    /upgrade|settings/i,
  ),
  ok(
    '53 upgrade with a body is stripped',
    post('Connection: Upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n', 'abc'),
    'abc',
    /upgrade/i,
  ),
  refused('54 unknown expectation', post('Expect: magic\r\nContent-Length: 3\r\n', 'abc'), 417),
  refused(
    '57 too many header fields',
    get(Array.from({ length: 101 }, (_, i) => `X-${i}: a\r\n`).join('')),
    431,
  ),
  refused('57 head too long', get(`X-A: ${'a'.repeat(62_000)}\r\n`), 431),
]

let upstream: RawServer
let sidecar: PlainDataPath

beforeAll(async () => {
  upstream = await startRawServer((text, socket) => {
    const complete = /\r\n\r\n/.test(text)
    const body = text.slice(text.indexOf('\r\n\r\n') + 4)
    const chunkedBody = /transfer-encoding: chunked/i.test(text)
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)
    const done = chunkedBody ? /(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n$/.test(body) : body.length >= length
    if (complete && done) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')
  })
  sidecar = await startPlainDataPath([upstream.port])
})

afterAll(async () => {
  sidecar.stop()
  await upstream.stop()
})

async function check(row: Row, pieces: readonly string[]): Promise<void> {
  const before = upstream.received.length
  const answer = await exchangeRaw(sidecar.port, pieces, (text) =>
    /^HTTP\/1\.1 200 .*\r\n\r\nok$/s.test(text),
  )
  expect(Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer.text)?.[1]), row.name).toBe(row.status)
  if (row.status !== 200) {
    expect(answer.closed, 'a refused connection is closed').toBe(true)
    expect(answer.text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    // A body that turns out bad has a head that may have gone on already; nothing complete may reach the application.
    for (const text of upstream.received.slice(before)) expect(text).not.toMatch(/0\r\n\r\n$/)
    return
  }
  const forwarded = upstream.received.at(-1) as string
  if (row.forwarded instanceof RegExp) expect(forwarded).toMatch(row.forwarded)
  else expect(forwarded).toContain(row.forwarded)
  if (row.notForwarded !== undefined) expect(forwarded).not.toMatch(row.notForwarded)
}

describe('a request as a whole', () => {
  test.each(rows)('$name: $status', (row) => check(row, [row.request]))
})

describe('a request split at every byte', () => {
  test.each(rows.filter((row) => row.request.length < 1000))('$name: $status', async (row) => {
    for (let at = 1; at < row.request.length; at++)
      await check(row, [row.request.slice(0, at), row.request.slice(at)])
  })
})
