import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { detect, settle } from './detect.ts'

const rest = ' / HTTP/1.1\r\nHost: a\r\n\r\n'
const rows: readonly (readonly [string, string, string])[] = [
  ['a request', `GET${rest}`, 'http1'],
  ['a method of 32 characters', `${'A'.repeat(32)}${rest}`, 'http1'],
  ['a longer method', `${'A'.repeat(33)}${rest}`, 'http1'],
  ['a much longer method', `${'A'.repeat(200)}${rest}`, 'http1'],
  ['a word longer than any', 'A'.repeat(1_100), 'http1'],
  ['a space before a request', ` GET${rest}`, 'http1'],
  ['an empty line and a tab before a request', `\r\n\tGET${rest}`, 'http1'],
  ...['\t', '\v', '\f', '\x1c', '\x85', '\xa0'].flatMap((blank) => [
    [`a request that begins with ${JSON.stringify(blank)}`, `${blank}GET${rest}`, 'http1'] as const,
    [`a request with ${JSON.stringify(blank)} for a space`, `GET${blank}/ HTTP/1.1\r\n`, 'http1'] as const,
  ]),
  ['an empty line before a request', `\r\nGET${rest}`, 'http1'],
  ['two empty lines before a request', `\r\n\r\nGET${rest}`, 'http1'],
  ['a LF before a request', `\nGET${rest}`, 'http1'],
  ['a CR before a request', `\rGET${rest}`, 'http1'],
  ['CR CR LF before a request', `\r\r\nGET${rest}`, 'http1'],
  ['an empty line and a LF before a request', `\r\n\nGET${rest}`, 'http1'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'http2'],
  ['what begins like that preface', `PRI * HTTP/1.1\r\nHost: a\r\n\r\n`, 'http1'],
  ['a method that nobody knows', 'BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n', 'http1'],
  ['a request with a malformed version', 'BREW /pot http/1.x\r\n', 'http1'],
  ['HTTP/0.9', 'GET /\r\n', 'http1'],
  ['a known method and no more', 'DELETE ', 'http1'],
  ['a line of a method that nobody knows, longer than any', `BREW /${'a'.repeat(8_200)}`, 'http1'],
  ['a line of words', 'word word\n', 'opaque'],
  ['a line of words that ends in CR LF', 'get key:1 key:2\r\n', 'opaque'],
  ['a line of words, and a version in the next', 'USER anna\r\nX HTTP/1.1\r\n', 'opaque'],
  ['a word without a space', 'EHLO\r\n', 'opaque'],
  ['a space and a word', ' word\n', 'opaque'],
  ['a space and a byte of no word', ' \x01GET / HTTP/1.1\r\n', 'opaque'],
  ['a tab between words', 'GET\tkey\r\n', 'opaque'],
  ['NUL', '\0\0\0\x08', 'opaque'],
  ['a byte above 0x80', '\xff\xf4', 'opaque'],
  ['the PROXY protocol, version 2', '\r\n\r\n\0\r\nQUIT\n\x21\x11', 'opaque'],
  ['what begins like that', '\r\n\r\n\0\r\nQUIZ', 'http1'],
]

test.each(rows)(
  '%s is told from the first bytes that can tell, however few come at a time',
  (_, text, kind) => {
    let told: string | undefined
    for (let length = 0; length <= text.length; length++) {
      const detected = detect(Buffer.from(text.slice(0, length), 'latin1'))
      const now = detected === 'more' ? undefined : detected.kind
      if (told !== undefined) expect(now, JSON.stringify(text.slice(0, length))).toBe(told)
      told = now
    }
    expect(told).toBe(kind)
  },
)

test.each([
  ['G', 'http1'],
  ['DELETE', 'http1'],
  ['BREW /pot', 'http1'],
  [' GET /', 'http1'],
  ['BREW * HT', 'http1'],
  ['BREW http://a', 'http1'],
  ['', 'opaque'],
  ['ruok', 'opaque'],
  ['get key', 'opaque'],
  ['\x16\x03\x01', 'opaque'],
])('%j and no more is settled as %s', (text, kind) => {
  expect(settle(Buffer.from(text, 'latin1')).kind).toBe(kind)
})
