/** The HTTP/2 matrix, part B: heads and contents that no request may have (RFC 9113 section 8). */
import { data, flags, frame, block, headers, request, types } from '../support/http2-frames.ts'
import { answers, breaksOff, code, type Http2Row, resets } from './http2-row.ts'

type Field = readonly [string, string]

const bad = (name: string, fields: readonly Field[]): Http2Row =>
  resets(name, 1, code.protocol, headers(1, fields))
const badField = (name: string, field: string, value: string): Http2Row =>
  bad(name, request('GET', '/', [field, value]))
const badBody = (name: string, fields: readonly Field[], ...frames: readonly Buffer[]): Http2Row =>
  breaksOff(name, 1, code.protocol, headers(1, request('POST', '/', ...fields), false), ...frames)
const fine = (name: string, fields: readonly Field[]): Http2Row =>
  answers(name, 1, '200', 1, headers(1, fields))
const without = (name: string): Field[] => request().filter(([field]) => field !== name)
const withValue = (name: string, value: string): Field[] =>
  request().map(([field, old]) => [field, field === name ? value : old])
const trailers = (...fields: readonly Field[]): Buffer => headers(1, fields)

const values: readonly Http2Row[] = [
  ...['\r', '\n', '\0'].flatMap((char, i) => [
    badField(`31 a value that begins with control character ${i}`, 'x-a', `${char}a`),
    badField(`31 a value that holds control character ${i}`, 'x-a', `a${char}b`),
    badField(`31 a value that ends with control character ${i}`, 'x-a', `a${char}`),
  ]),
  badField(
    '31 a whole request within a value',
    'x-a',
    'a\r\n\r\nGET /admin HTTP/1.1\r\nHost: app.test\r\n\r\n',
  ),
  badField('32 a value that begins with a space', 'x-a', ' a'),
  badField('32 a value that ends with a tab', 'x-a', 'a\t'),
  fine('32 a tab within a value', request('GET', '/', ['x-a', 'a\tb'])),
  badField('33 a control character', 'x-a', '\x01'),
  badField('33 DEL', 'x-a', '\x7f'),
  fine('33 bytes above ASCII', request('GET', '/', ['x-a', '\x80\xff'])),
  ...['a:b', 'a b', '\x80', '', ':', 'X-A', 'transfer-encoding: chunked\r\nx'].map((name) =>
    badField(`34 the name ${JSON.stringify(name)}`, name, 'a'),
  ),
  ...['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'].map((name) =>
    badField(`35 ${name}`, name, name === 'transfer-encoding' ? 'chunked' : 'close'),
  ),
  fine('36 te: trailers', request('GET', '/', ['te', 'trailers'])),
  ...['gzip', 'trailers, deflate'].map((value) => badField(`36 te: ${value}`, 'te', value)),
  bad('36 te twice', request('GET', '/', ['te', 'trailers'], ['te', 'trailers'])),
]

const pseudo: readonly Http2Row[] = [
  ...['GET /x HTTP/1.1', 'G\tT', ''].map((value) =>
    bad(`37 the method ${JSON.stringify(value)}`, withValue(':method', value)),
  ),
  // As it is: which the application does not know.
  answers('37 a method in small letters', 1, '400', 0, headers(1, withValue(':method', 'get'))),
  ...['', 'foo', '*', '/a b', '/a#f', '/\xe9', ':8080/x'].map((value) =>
    bad(`38 the path ${JSON.stringify(value)}`, withValue(':path', value)),
  ),
  fine('38 a path that begins with two slashes', withValue(':path', '//x')),
  ...['http://evil', 'ht tp', 'ftp', ''].map((value) =>
    bad(`39 the scheme ${JSON.stringify(value)}`, withValue(':scheme', value)),
  ),
  ...['u@h', 'h:99999', 'h/x', ''].map((value) =>
    bad(`40 the authority ${JSON.stringify(value)}`, withValue(':authority', value)),
  ),
  fine('41 Host as the authority', request('GET', '/', ['host', 'app.test'])),
  fine(
    '41 Host as the authority but for letters and the default port',
    request('GET', '/', ['host', 'APP.test:80']),
  ),
  badField('41 another Host than the authority', 'host', 'other.test'),
  bad('41 Host twice', request('GET', '/', ['host', 'app.test'], ['host', 'app.test'])),
  fine('41 Host alone', [...without(':authority'), ['host', 'app.test']]),
  bad('41 neither', without(':authority')),
  ...[':method', ':scheme', ':path', ':authority'].map((name) =>
    bad(`42 ${name} twice`, [...request(), request().find(([field]) => field === name) as Field]),
  ),
  ...[':method', ':scheme', ':path'].map((name) => bad(`42 no ${name}`, without(name))),
  bad('42 a pseudo-field behind another field', [['x-a', 'a'], ...request()]),
  bad('42 :status in a request', request('GET', '/', [':status', '200']).toReversed()),
  bad('42 an unknown pseudo-field', [...request(), [':foo', 'a']]),
  bad('43 CONNECT with a path', withValue(':method', 'CONNECT')),
  bad('43 CONNECT without an authority', [[':method', 'CONNECT']]),
  answers(
    '43 CONNECT where nobody allows it',
    1,
    '405',
    0,
    headers(1, [
      [':method', 'CONNECT'],
      [':authority', 'app.test:80'],
    ]),
  ),
  bad('44 :protocol without CONNECT', [...request(), [':protocol', 'websocket']]),
]

const lengths: readonly Http2Row[] = [
  ...['+3', '3 3', '3,3', '', '9007199254740993', '18446744073709551616', '0x3'].map((value) =>
    badField(`45 content-length ${JSON.stringify(value)}`, 'content-length', value),
  ),
  bad('45 content-length twice', request('POST', '/', ['content-length', '0'], ['content-length', '0'])),
  bad('46 content-length and no content', request('POST', '/', ['content-length', '5'])),
  badBody('47 less content than said', [['content-length', '5']], data(1, 'abcd')),
  badBody('47 more content than said', [['content-length', '5']], data(1, 'abcdef')),
  answers(
    '47 the end in a frame of its own',
    1,
    '200',
    1,
    headers(1, request('POST', '/', ['content-length', '5']), false),
    data(1, 'abcde', false),
    data(1, ''),
  ),
  answers(
    '47 the end with trailers',
    1,
    '200',
    1,
    headers(1, request('POST', '/', ['content-length', '5']), false),
    data(1, 'abcde', false),
    trailers(['x-end', 'a']),
  ),
  badBody(
    '47 trailers before the end',
    [['content-length', '5']],
    data(1, 'abcd', false),
    trailers(['x-end', 'a']),
  ),
  badBody('48 content where none was said', [['content-length', '0']], data(1, 'a', false)),
  badBody('49 trailers with a pseudo-field', [], data(1, 'a', false), trailers([':path', '/'])),
  badBody('49 trailers with a name in capitals', [], data(1, 'a', false), trailers(['X-A', 'a'])),
  badBody(
    '49 trailers with transfer-encoding',
    [],
    data(1, 'a', false),
    trailers(['transfer-encoding', 'chunked']),
  ),
  badBody(
    '49 trailers that do not end the stream',
    [],
    data(1, 'a', false),
    frame(types.headers, flags.endHeaders, 1, block(['x-a', 'a'])),
  ),
  answers(
    '50 too many crumbs of a cookie',
    1,
    '431',
    0,
    headers(1, request('GET', '/', ...Array.from({ length: 300 }, () => ['cookie', 'a'] as const))),
  ),
  fine(
    '55 names that mean something to JavaScript',
    request('GET', '/', ['__proto__', 'a'], ['constructor', 'b']),
  ),
  answers(
    'an expectation that nobody knows',
    1,
    '417',
    0,
    headers(1, request('POST', '/', ['expect', 'coffee']), false),
  ),
]

export const http2HeadRows: readonly Http2Row[] = [...values, ...pseudo, ...lengths]
