/** The request matrix, rows 50 to 56: what ends at this hop, and what becomes of the connection. */
import { closeField, ends, get, host, oldGet, passes, post, refused, type RequestRow } from './request-row.ts'

const nominated: readonly RequestRow[] = [
  passes(
    '50 nominated and hop-by-hop fields are stripped',
    get(
      'Connection: X-Foo, keep-alive\r\nX-Foo: 1\r\nKeep-Alive: a\r\nProxy-Connection: b\r\nProxy-Authorization: c\r\nProxy-Authenticate: d\r\nTE: gzip\r\nX-Keep: 1\r\nx-foo: 2\r\n',
    ),
    get('X-Keep: 1\r\n'),
  ),
  passes(
    '50 nominated in a second Connection',
    get('Connection: a\r\nX-Foo: 1\r\nConnection: X-Foo\r\n'),
    get(),
  ),
  passes(
    '50 nominated in other letters, between blanks',
    get('Connection: \t,, x-FOO ,\r\nX-Foo: 1\r\n'),
    get(),
  ),
  passes(
    '50 nominated and not there',
    get('Connection: X-Foo\r\nX-Fo: 1\r\nX-Foo2: 1\r\n'),
    get('X-Fo: 1\r\nX-Foo2: 1\r\n'),
  ),
  passes(
    '50 a hundred connection options',
    get(`Connection: ${'a,'.repeat(99)}X-Foo\r\nX-Foo: 1\r\n`),
    get(),
  ),
  refused(
    '50 more of them, an attack on the processor',
    get(`Connection: ${'a,'.repeat(100)}X-Foo\r\nX-Foo: 1\r\n`),
  ),
  passes(
    '50 no token is no name',
    get('Connection: X Foo, "X-Foo", X-Foo;a, \xa0X-Foo, X-Foo\xa0\r\nX-Foo: 1\r\n'),
    get('X-Foo: 1\r\n'),
  ),
  ...[
    ['Host', ''],
    ['Authorization', 'Authorization: a\r\n'],
    ['Traceparent', 'Traceparent: a\r\n'],
    ['B3', 'B3: 0\r\n'],
    ['X-B3-Sampled', 'X-B3-Sampled: 0\r\n'],
    ['Forwarded', 'Forwarded: for=192.0.2.1\r\n'],
    ['X-Forwarded-For', 'X-Forwarded-For: 192.0.2.1\r\n'],
  ].map(([name = '', line = '']) =>
    passes(`50 ${name} cannot be nominated`, get(`Connection: ${name}\r\n${line}`), get(line)),
  ),
  ...['X-Forwarded-Client-Cert', 'Weft-Client-Id'].flatMap((name) => [
    passes(`50 ${name} is nothing that an application can say`, get(`${name}: a\r\n`), get()),
    passes(
      `50 ${name} is gone before anybody nominates it`,
      get(`Connection: ${name}\r\n${name}: a\r\n`),
      get(),
    ),
  ]),
  passes(
    '50 Content-Length cannot be nominated',
    post('Connection: content-length\r\nContent-Length: 3\r\n', 'abc'),
    post('Content-Length: 3\r\n', 'abc'),
  ),
  ends(
    '50 Content-Length cannot be nominated beside close',
    post('Connection: close, CONTENT-LENGTH\r\nContent-Length: 3\r\n', 'abc'),
    post('Content-Length: 3\r\n', 'abc'),
  ),
  passes(
    '50 Transfer-Encoding cannot be nominated',
    post('Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  ),
  ends(
    '50 Connection: close, TE',
    get('Connection: close, TE\r\nTE: trailers\r\n'),
    get('Connection: TE\r\nTE: trailers\r\n'),
  ),
  passes(
    '50 TE: trailers is asked for by this hop',
    get('TE: gzip;q=0.5, trailers\r\n'),
    get('Connection: TE\r\nTE: trailers\r\n'),
  ),
  passes('50 TE: trailers with a weight is none', get('TE: trailers;q=0\r\n'), get()),
]

const upgrades: readonly RequestRow[] = [
  passes(
    '51 a 200 in answer to an upgrade stays HTTP (CVE-2024-23326)',
    `${get('Connection: Upgrade\r\nUpgrade: websocket\r\n')}`,
    get('Connection: Upgrade\r\nUpgrade: websocket\r\n'),
  ),
  ends(
    '51 bytes behind an upgrade that is not answered by 101 go nowhere (CVE-2026-73548)',
    `${get('Connection: Upgrade\r\nUpgrade: websocket\r\n')}${get()}`,
    get('Connection: Upgrade\r\nUpgrade: websocket\r\n'),
  ),
  passes(
    '51 a 101 opens the tunnel; what follows are bytes',
    `${get('Connection: Upgrade\r\nUpgrade: websocket\r\n')}\x81\x05early${get()}`,
    `${get('Connection: Upgrade\r\nUpgrade: websocket\r\n')}\x81\x05early${get()}`,
    {
      statuses: [101],
      reply: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      pooled: false,
    },
  ),
  passes('51 Upgrade without Connection is stripped', get('Upgrade: websocket\r\n'), get()),
  passes('51 Connection: upgrade without Upgrade is stripped', get('Connection: upgrade\r\n'), get()),
  passes(
    '51 a no-break space is no white space',
    get('Connection: \xa0upgrade\r\nUpgrade: websocket\r\n'),
    get(),
  ),
  passes('51 an empty Upgrade is none', get('Connection: upgrade\r\nUpgrade: \r\n'), get()),
  passes('51 Upgrade that is no token is stripped', get('Connection: upgrade\r\nUpgrade: a b\r\n'), get()),
  passes('51 a list of protocols is not offered', get('Connection: upgrade\r\nUpgrade: a, b\r\n'), get()),
  ends('51 HTTP/1.0 has no Upgrade', oldGet('Connection: upgrade\r\nUpgrade: websocket\r\n'), get()),
  ...['h2c', 'H2C', 'h2', 'HTTP/2.0', 'h2c, websocket', 'websocket, h2c'].map((token) =>
    passes(
      `52 Upgrade: ${token}`,
      get(`Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${token}\r\nHTTP2-Settings: AAMAAABk\r\n`),
      get(),
    ),
  ),
  passes('52 HTTP2-Settings alone', get('HTTP2-Settings: AAMAAABk\r\n'), get()),
  passes(
    '52 h2c in a second Upgrade',
    get('Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'),
    get(),
  ),
  passes(
    '53 upgrade with a length',
    post('Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n', 'abc'),
    post('Content-Length: 3\r\n', 'abc'),
  ),
  passes(
    '53 upgrade in chunks',
    post(
      'Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n',
      '3\r\nabc\r\n0\r\n\r\n',
    ),
    post('Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n'),
  ),
]

const expect100 = 'Expect: 100-continue\r\n'
const withLength = 'Content-Length: 3\r\n'
const expectations: readonly RequestRow[] = [
  passes('54 100-continue', post(expect100 + withLength, 'abc'), post(withLength + expect100, 'abc'), {
    optional: expect100,
  }),
  passes(
    '54 100-Continue in capitals',
    post(`Expect: 100-CONTINUE\r\n${withLength}`, 'abc'),
    post(withLength + expect100, 'abc'),
    {
      optional: expect100,
    },
  ),
  passes(
    '54 100-continue twice, in a list and in two fields (RFC 9110 10.1.1)',
    post(`Expect: 100-continue , 100-Continue\r\n${withLength}${expect100}`, 'abc'),
    post(withLength + expect100, 'abc'),
    { optional: expect100 },
  ),
  passes(
    '54 100-continue in chunks',
    post(`${expect100}Transfer-Encoding: chunked\r\n`, '3\r\nabc\r\n0\r\n\r\n'),
    post(`Transfer-Encoding: chunked\r\n${expect100}`, '3\r\nabc\r\n0\r\n\r\n'),
    { optional: expect100 },
  ),
  passes('54 100-continue without a body is dropped', get(expect100), get()),
  ends(
    '54 HTTP/1.0 expects nothing',
    `POST / HTTP/1.0\r\n${host}${expect100}${withLength}\r\nabc`,
    post(withLength, 'abc'),
  ),
  ...['magic', '100-continue, magic', '100-continue,', '', '100', '100-continue;a'].map((value) =>
    refused(`54 Expect: ${value}`, post(`Expect: ${value}\r\n${withLength}`, 'abc'), 417),
  ),
  refused(
    '54 an unknown expectation beside 100-continue',
    post(`Expect: magic\r\n${expect100}${withLength}`, 'abc'),
    417,
  ),
]

const twice = { statuses: [200, 200] }
const connections: readonly RequestRow[] = [
  passes('55 two requests', get() + get('X-A: b\r\n'), get() + get('X-A: b\r\n'), twice),
  passes(
    '55 a request behind a body',
    post(withLength, 'abc') + get(),
    post(withLength, 'abc') + get(),
    twice,
  ),
  passes(
    '55 a request behind chunks',
    post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n') + get(),
    post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n') + get(),
    twice,
  ),
  passes('55 a good request, then a bad one', `${get()}GET / HTTP/1.1\r\nFoo\r\n\r\n`, get(), {
    statuses: [200, 400],
    closed: true,
  }),
  passes(
    '55 a good request, then one with two lengths, then a third (CVE-2019-15605)',
    `${get()}${post(`${withLength}Transfer-Encoding: chunked\r\n`, '0\r\n\r\n')}${get()}`,
    get(),
    { statuses: [200, 400], closed: true },
  ),
  passes(
    '55 HEAD, then GET',
    `HEAD / HTTP/1.1\r\n${host}\r\n${get()}`,
    `HEAD / HTTP/1.1\r\n${host}\r\n${get()}`,
    twice,
  ),
  ends(
    '55 HTTP/1.0 with keep-alive, then without',
    oldGet('Connection: keep-alive\r\n') + oldGet(),
    get() + get(),
    {
      ...twice,
      hopFields: ['Connection: keep-alive\r\n', closeField],
    },
  ),
  ends('56 bytes behind Connection: close', `${get('Connection: close\r\n')}${get()}`, get()),
  ends('56 bytes behind HTTP/1.0', `${oldGet()}${get()}`, get()),
  ends('56 Connection: CLOSE', `${get('Connection: CLOSE\r\n')}${get()}`, get()),
  ends('56 Connection: keep-alive, close', `${get('Connection: keep-alive, close\r\n')}${get()}`, get()),
  ends(
    '56 close in a second Connection',
    `${get('Connection: keep-alive\r\nConnection: close\r\n')}${get()}`,
    get(),
  ),
  passes('56 Connection: closed is not close', get('Connection: closed\r\n') + get(), get() + get(), twice),
  passes(
    '56 close and a no-break space is not close',
    get('Connection: close\xa0\r\n') + get(),
    get() + get(),
    twice,
  ),
  passes('56 Connection: keep-alive', get('Connection: keep-alive\r\n') + get(), get() + get(), twice),
]

export const requestHopRows: readonly RequestRow[] = [
  ...nominated,
  ...upgrades,
  ...expectations,
  ...connections,
]
