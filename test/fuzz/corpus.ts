/** Cases that fuzzing or hostile reading found, kept: what they are taken for now. */

export type CorpusCase = {
  readonly name: string
  readonly kind: 'request' | 'response'
  readonly pieces: readonly string[]
  /** Messages that are complete. */
  readonly messages: number
  readonly end: 'clean' | 'incomplete' | 'refused'
  readonly reason: string
}

const request = (fields: string, body = ''): string => `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`
const chunked = (body: string): string => request('Transfer-Encoding: chunked\r\n', body)
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

const served = (name: string, messages: number, ...pieces: readonly string[]): CorpusCase => ({
  name,
  kind: 'request',
  pieces,
  messages,
  end: 'clean',
  reason: '',
})
const refused = (name: string, reason: string, ...pieces: readonly string[]): CorpusCase => ({
  name,
  kind: 'request',
  pieces,
  messages: 0,
  end: 'refused',
  reason,
})
const badReply = (name: string, reason: string, ...pieces: readonly string[]): CorpusCase => ({
  ...refused(name, reason, ...pieces),
  kind: 'response',
})

export const corpus: readonly CorpusCase[] = [
  served(
    'the CR of an empty line between requests alone',
    2,
    request('Content-Length: 3\r\n', 'abc\r'),
    `\n${get}`,
  ),
  refused('a CR that no LF follows before a request', '400 bare CR', '\r', 'G'),
  {
    ...refused(
      'empty lines between requests, each in a piece of its own',
      '400 malformed method',
      get,
      '\r\n',
      '\r\n',
      get,
    ),
    messages: 1,
  },
  refused('CR CR behind the head', '400 bare CR', 'GET / HTTP/1.1\r\nHost: a\r\n\r', '\rX'),
  refused(
    'the last of two expectations',
    '417 unknown expectation',
    request('Expect: x\r\nExpect: 100-continue\r\n'),
  ),
  refused(
    'white space in a chunk extension',
    '400 malformed chunk extension',
    chunked('3;a = b\r\nabc\r\n0\r\n\r\n'),
  ),
  refused('a chunk extension without a name', '400 malformed chunk extension', chunked('0;;a\r\n\r\n')),
  refused(
    'a byte above 0x80 in the name of a chunk extension',
    '400 malformed chunk extension',
    chunked('0;\xe9\r\n\r\n'),
  ),
  refused(
    'a length between 2^53 and 2^64',
    '400 Content-Length is not a plain decimal number',
    request('Content-Length:8446744073709551619\r\n', 'a'),
  ),
  refused('HTTP/0.9 with LF alone', '400 malformed request line', 'CONNECT /a?HTTP/1.0G\nHost: a\r\n\r\n'),
  refused(
    '101 connection options',
    '400 too many connection options',
    request(`Connection: ${'a,'.repeat(100)}b\r\n`),
  ),
  served('close in a trailer is not looked at', 2, `${chunked('0\r\nConnection: close\r\n\r\n')}${get}`),
  served(
    'an upgrade to two protocols is none',
    2,
    `${request('Connection: upgrade\r\nUpgrade: a b\r\n')}${get}`,
  ),
  badReply('what is no reply behind an interim one', 'malformed status line', 'HTTP/1.1 103 E\r\n\r\n', 'ok'),
  badReply(
    'an empty length in a head that is not complete',
    'Content-Length is not a plain decimal number',
    'HTTP/1.1 304 A\r\nContent-Length: \r\n',
  ),
  badReply(
    'a chunk extension without a name, in a reply',
    'malformed chunk extension',
    'HTTP/1.1 200 A\r\nTransfer-Encoding: chunked\r\n\r\n0;;\r\n\r\n',
  ),
]
