import { expect, test } from 'vitest'
import { chunked } from '../body.ts'
import { TextForm } from './text-form.ts'

const form = new TextForm()

function decode(text: string) {
  const bytes = Buffer.from(`before${text}behind`, 'latin1')
  const block = form.decode(bytes, 6, bytes.length - 6)
  if (block === undefined) throw new Error('too large')
  return block
}

test('a request is read as HTTP/1 reads it, names in their case', () => {
  const head = form.request(
    decode('POST /a?b HTTP/1.1\r\nHost: app\r\nX-OdD: 1\r\nContent-Length: 5\r\n\r\n'),
  )
  expect(head).toMatchObject({
    method: 'POST',
    target: '/a?b',
    authority: 'app',
    contentLength: 5,
    http2: false,
  })
  if ('reason' in head) throw new Error(head.reason)
  expect(head.headers.lines).toBe('Host: app\r\nX-OdD: 1\r\nContent-Length: 5\r\n')
})

test.each([
  ['it has not ended', 'GET / HTTP/1.1\r\nHost: app\r\n'],
  ['something follows it', 'GET / HTTP/1.1\r\nHost: app\r\n\r\nGET'],
  [
    'its length is said twice',
    'POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
  ],
  [
    'it has chunks and a length',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
  ],
  ['a line ends in LF alone', 'GET / HTTP/1.1\r\nHost: app\nX: 1\r\n\r\n'],
  [
    'it would have the connection for itself',
    'GET / HTTP/1.1\r\nHost: app\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
  ],
  ['it asks for a tunnel', 'CONNECT app:80 HTTP/1.1\r\nHost: app:80\r\n\r\n'],
  ['it is HTTP/2’s preface', 'PRI * HTTP/2.0\r\n\r\n'],
])('a request is refused when %s', (_, text) => {
  expect(form.request(decode(text))).toHaveProperty('reason')
})

test.each([
  ['it would end with the connection', 'HTTP/1.1 200 OK\r\n\r\n'],
  ['it switches protocols', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
  ['something follows it', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP'],
  ['it is none', 'HELLO\r\n\r\n'],
])('a reply is refused when %s', (_, text) => {
  expect(form.reply(decode(text), 'GET')).toBeTypeOf('string')
})

test('the length of a reply is what HTTP/1 makes of it', () => {
  const lengths = [
    ['GET', 'Content-Length: 7'],
    ['HEAD', 'Content-Length: 7'],
    ['GET', 'Transfer-Encoding: chunked'],
  ].map(([method = '', field]) => {
    const head = form.reply(decode(`HTTP/1.1 200 Fine\r\n${field}\r\n\r\n`), method)
    return typeof head === 'string' ? head : [head.reason, head.contentLength]
  })
  expect(lengths).toEqual([
    ['Fine', 7],
    ['Fine', 0],
    ['Fine', chunked],
  ])
})

test('a body that came in chunks and is all there has a length instead', () => {
  const request = form.request(
    decode('POST / HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\nX: 1\r\n\r\n'),
  )
  if ('reason' in request) throw new Error(request.reason)
  request.framing = 5
  expect(request.headers.lines).toBe('Host: app\r\nX: 1\r\nContent-Length: 5\r\n')
  const reply = form.reply(decode('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'), 'GET')
  if (typeof reply === 'string') throw new Error(reply)
  expect(reply.headers(chunked).lines).toBe('Transfer-Encoding: chunked\r\n')
  expect(reply.headers(0).lines).toBe('Content-Length: 0\r\n')
})

test('trailers that would frame or route are left out, and a malformed line is refused', () => {
  const trailers = form.trailers(decode('X-Sum: 1\r\nContent-Length: 5\r\nHost: other\r\n\r\n'))
  if (typeof trailers === 'string') throw new Error(trailers)
  expect(trailers.lines).toBe('X-Sum: 1\r\n')
  expect(form.trailers(decode('no colon\r\n\r\n'))).toBeTypeOf('string')
})

test('a head longer than HTTP/1 takes from anybody is not read', () => {
  const bytes = Buffer.alloc(61 * 1024, 'a')
  expect(form.decode(bytes, 0, bytes.length)).toBeUndefined()
})
