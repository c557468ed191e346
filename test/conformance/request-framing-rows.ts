/** The request matrix, rows 1 to 12 and 40 to 49: how long a message is. */
import {
  badChunks,
  chunkedField,
  chunkedPost,
  ends,
  get,
  host,
  passes,
  post,
  refused,
  type RequestRow,
} from './request-row.ts'

const empty = '0\r\n\r\n'
const abc = '3\r\nabc\r\n0\r\n\r\n'
const withLength = (value: string, body = 'abc'): string => post(`Content-Length: ${value}\r\n`, body)
const withCoding = (value: string): string => post(`Transfer-Encoding: ${value}\r\n`, empty)
const withoutBody = (method: string, fields: string, body = ''): string =>
  `${method} / HTTP/1.1\r\n${host}${fields}\r\n${body}`

const codings: readonly RequestRow[] = [
  refused(
    '1 Content-Length and chunked (CVE-2019-15605)',
    post(`Content-Length: 3\r\n${chunkedField}`, `${empty}${get()}`),
  ),
  refused('1 chunked and Content-Length', post(`${chunkedField}Content-Length: 3\r\n`, empty)),
  refused('1 chunked and Content-Length: 0', post(`${chunkedField}Content-Length: 0\r\n`, empty)),
  refused(
    '1 chunked and Content-Length, with a field between',
    post(`Content-Length: 5\r\nX-A: b\r\n${chunkedField}`, empty),
  ),
  refused('2 xchunked', withCoding('xchunked')),
  refused('2 chunkedx', withCoding('chunkedx')),
  refused('2 quoted chunked', withCoding('"chunked"')),
  refused('2 chunked, identity', withCoding('chunked,identity')),
  refused('2 chunked twice in a list', withCoding('chunked,chunked')),
  refused('2 chunked with a parameter', withCoding('chunked;q=1')),
  refused('2 vertical tab before chunked (CVE-2019-18277)', withCoding('\vchunked')),
  refused('2 form feed before chunked', withCoding('\fchunked')),
  refused('2 vertical tab after chunked', withCoding('chunked\v')),
  refused('2 no-break space before chunked', withCoding('\xa0chunked')),
  refused('2 no-break space after chunked', withCoding('chunked\xa0')),
  refused('2 identity', withCoding('identity')),
  refused('2 Transfer_Encoding, which CGI reads as the same', post('Transfer_Encoding: chunked\r\n', empty)),
  refused(
    '2 Transfer_Encoding beside Content-Length',
    post('TRANSFER_ENCODING: chunked\r\nContent-Length: 3\r\n', 'abc'),
  ),
  passes('2 Chunked in capitals is chunked', withCoding('CHUNKED'), chunkedPost(empty)),
  refused('3 gzip, chunked', withCoding('gzip, chunked'), 501),
  refused('3 empty coding before chunked', withCoding(',chunked'), 501),
  refused('3 empty coding after chunked', withCoding('chunked,')),
  refused(
    '4 chunked and identity in two fields',
    post(`${chunkedField}Transfer-Encoding: identity\r\n`, empty),
  ),
  refused(
    '4 identity and chunked in two fields',
    post(`Transfer-Encoding: identity\r\n${chunkedField}`, empty),
  ),
  refused('4 chunked in two fields (CVE-2020-8287)', post(chunkedField + chunkedField, empty)),
  refused('5 empty Transfer-Encoding', post('Transfer-Encoding:\r\n', empty)),
  refused(
    '5 empty Transfer-Encoding and Content-Length',
    post('Transfer-Encoding:\r\nContent-Length: 3\r\n', 'abc'),
  ),
  refused('5 blank Transfer-Encoding', post('Transfer-Encoding: \t\r\n', empty)),
  passes('6 white space after chunked', withCoding('chunked\t '), chunkedPost(empty)),
  passes('6 white space before chunked', withCoding('\t  chunked'), chunkedPost(empty)),
  refused('7 chunked in HTTP/1.0', `POST / HTTP/1.0\r\n${host}${chunkedField}\r\n${empty}`),
  refused(
    '7 chunked in HTTP/1.0 with keep-alive',
    `POST / HTTP/1.0\r\n${host}Connection: keep-alive\r\n${chunkedField}\r\n${empty}`,
  ),
]

const lengths: readonly RequestRow[] = [
  refused('8 the same Content-Length twice', post('Content-Length: 3\r\nContent-Length: 3\r\n', 'abc')),
  refused('8 Content-Length as a list', withLength('3, 3')),
  refused('9 two Content-Lengths', post('Content-Length: 3\r\nContent-Length: 4\r\n', 'abc')),
  refused('9 two Content-Lengths in a list', withLength('3, 4')),
  refused('9 Content-Length: 0 and another', post('Content-Length: 0\r\nContent-Length: 3\r\n', 'abc')),
  ...['+3', '-3', '0x3', '3 3', '', '3e0', '3.0', '3;', '\xb3', '3_0', '\v3'].map((value) =>
    refused(`10 Content-Length ${JSON.stringify(value)}`, withLength(value)),
  ),
  refused('10 Content_Length, which CGI reads as the same', post('Content_Length: 3\r\n', 'abc')),
  passes('11 leading zeroes', withLength('003'), withLength('3')),
  passes('11 only zeroes', withLength('000', ''), withLength('0', '')),
  ...[
    '18446744073709551619',
    '18446744073709551616',
    '9007199254740993',
    '9007199254740992',
    '4294967299000000000',
  ].map((value) => refused(`12 Content-Length ${value}`, withLength(value, `abc${get()}`))),
]

const chunks: readonly RequestRow[] = [
  passes('40 chunk extension is dropped', chunkedPost('3;a=b\r\nabc\r\n0;c="d;e"\r\n\r\n'), chunkedPost(abc)),
  passes(
    '40 every form of a chunk extension',
    chunkedPost('3;a;b=c;d="e;\\"\\\\ \t\xe9";!#=~\r\nabc\r\n0\r\n\r\n'),
    chunkedPost(abc),
  ),
  ...[
    ';',
    ';;a',
    ';a=',
    ';a;',
    '; a',
    ';a ',
    ';a =b',
    ';a= b',
    ';a="b',
    ';a="b"c',
    ';"a"',
    ';a=b c',
    ';\xe9',
    ';a="\x01"',
    ';a="\\\x01"',
  ].map((extension) =>
    badChunks(`40 chunk extension ${JSON.stringify(extension)}`, `3${extension}\r\nabc\r\n0\r\n\r\n`),
  ),
  badChunks('40 white space before a chunk extension', '3 ;a=b\r\nabc\r\n0\r\n\r\n'),
  badChunks('40 control in a chunk extension', '3;a\x01\r\nabc\r\n0\r\n\r\n'),
  badChunks('40 chunk extension too long (CVE-2024-22019)', `3;${'a'.repeat(5000)}\r\nabc\r\n0\r\n\r\n`),
  badChunks('41 extension ended by LF (CVE-2025-55315)', '3;a\nabc\r\n0\r\n\r\n'),
  badChunks('41 lone CR in an extension', '3;a\rb\r\nabc\r\n0\r\n\r\n'),
  badChunks('41 size ended by LF', '3\nabc\r\n0\r\n\r\n'),
  badChunks('41 size ended by CR', '3\rabc\r\n0\r\n\r\n'),
  badChunks('41 data ended by LF', '3\r\nabc\n0\r\n\r\n', 'abc'),
  badChunks('41 last chunk ended by LF', '3\r\nabc\r\n0\n\r\n', 'abc'),
  ...['0x3', '+3', '-1', ' 3', '', '3G', '10000000000000003', '3_0', '\xb3', '\t3', ';a'].map((size) =>
    badChunks(`42 chunk size ${JSON.stringify(size)}`, `${size}\r\nabc\r\n0\r\n\r\n`),
  ),
  badChunks('43 spaces after the chunk size', '3  \r\nabc\r\n0\r\n\r\n'),
  badChunks('43 tab after the chunk size', '3\t\r\nabc\r\n0\r\n\r\n'),
  badChunks('44 chunk size of 21 digits', '000000000000000000003\r\nabc\r\n0\r\n\r\n'),
  badChunks('44 chunk size of 9 digits', '000000003\r\nabc\r\n0\r\n\r\n'),
  passes('44 chunk size of 8 digits', chunkedPost('00000003\r\nabc\r\n0000\r\n\r\n'), chunkedPost(abc)),
  passes(
    '44 chunk size in capitals',
    chunkedPost('A\r\n0123456789\r\n0\r\n\r\n'),
    chunkedPost('a\r\n0123456789\r\n0\r\n\r\n'),
  ),
  badChunks('45 data not followed by CRLF', '3\r\nabcX0\r\n\r\n', 'abc'),
  badChunks('45 data longer than its size', '2\r\nabc\r\n0\r\n\r\n', 'ab'),
  badChunks('45 data followed by CR CR', '3\r\nabc\r\r0\r\n\r\n', 'abc'),
]

const trailing = (fields: string, trailers: string): string =>
  post(`${fields}${chunkedField}`, `3\r\nabc\r\n0\r\n${trailers}\r\n`)
/** What a request with `TE: trailers` looks like on the next hop. */
const forwarded = (trailers: string): string =>
  `POST / HTTP/1.1\r\n${host}${chunkedField}Connection: TE\r\nTE: trailers\r\n\r\n3\r\nabc\r\n0\r\n${trailers}\r\n`
const te = 'TE: trailers\r\n'

const trailers: readonly RequestRow[] = [
  passes('46 trailers are dropped without TE', trailing('', 'X-T: 1\r\n'), chunkedPost(abc)),
  passes('46 trailers are dropped with another TE', trailing('TE: gzip\r\n', 'X-T: 1\r\n'), chunkedPost(abc)),
  passes(
    '46 trailers pass with TE: trailers',
    trailing(te, 'X-T: 1\r\nx-u:2 \r\n'),
    forwarded('X-T: 1\r\nx-u: 2\r\n'),
  ),
  passes(
    '46 Trailer is announced as it was',
    trailing('Trailer: X-T\r\n', 'X-T: 1\r\n'),
    trailing('Trailer: X-T\r\n', ''),
  ),
  ...[
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Host: other',
    'Authorization: a',
    'Proxy-Authorization: a',
    'Trailer: X-T',
    'Content-Type: a/b',
    'Cookie: a=b',
    'Connection: X-U',
    'Upgrade: h2c',
    'TE: trailers',
    'Expect: 100-continue',
    'Weft-Client-Id: spiffe://a/b',
    'X-Forwarded-Client-Cert: a',
    'weft_client_id: spiffe://a/b',
    'X_Forwarded_Client-Cert: a',
    'Traceparent: 00-1-2-3',
  ].map((line) =>
    passes(`47 trailer ${line} is dropped`, trailing(te, `${line}\r\nX-T: 1\r\n`), forwarded('X-T: 1\r\n')),
  ),
  badChunks('48 trailer without a colon', '3\r\nabc\r\n0\r\nbad trailer\r\n\r\n', 'abc'),
  badChunks('48 trailer without a name', '3\r\nabc\r\n0\r\n: a\r\n\r\n', 'abc'),
  badChunks('48 folded trailer', '3\r\nabc\r\n0\r\nX-T: 1\r\n 2\r\n\r\n', 'abc'),
  badChunks('48 white space before the colon of a trailer', '3\r\nabc\r\n0\r\nX-T : 1\r\n\r\n', 'abc'),
  badChunks('48 NUL in a trailer', '3\r\nabc\r\n0\r\nX-T: \0\r\n\r\n', 'abc'),
  badChunks('48 trailer ended by LF', '3\r\nabc\r\n0\r\nX-T: 1\n\r\n', 'abc'),
  badChunks('48 trailers begin with CR', '3\r\nabc\r\n0\r\n\rX-T: 1\r\n\r\n', 'abc'),
  badChunks('48 Content_Length in the trailers', '3\r\nabc\r\n0\r\nContent_Length: 1\r\n\r\n', 'abc'),
  badChunks(
    '48 two Content-Lengths in the trailers',
    '3\r\nabc\r\n0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    'abc',
  ),
]

const bodies: readonly RequestRow[] = [
  ...['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'].flatMap((method) => [
    passes(`49 ${method} with Content-Length`, withoutBody(method, 'Content-Length: 3\r\n', 'abc')),
    passes(`49 ${method} in chunks`, withoutBody(method, chunkedField, abc)),
  ]),
  passes('49 GET with Content-Length: 0', withoutBody('GET', 'Content-Length: 0\r\n')),
  passes('49 POST without a length has no body', withoutBody('POST', '')),
  ends(
    '49 HTTP/1.0 GET with a body',
    `GET / HTTP/1.0\r\n${host}Content-Length: 3\r\n\r\nabc`,
    `GET / HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\nabc`,
  ),
]

export const requestFramingRows: readonly RequestRow[] = [
  ...codings,
  ...lengths,
  ...chunks,
  ...trailers,
  ...bodies,
]
