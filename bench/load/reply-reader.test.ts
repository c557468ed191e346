import { expect, test } from 'vitest'
import { ReplyReader } from './reply-reader.ts'

const reply = 'HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length: 5\r\n\r\nhello'

test('a reply is complete with its last byte, wherever it is cut', () => {
  for (let at = 1; at < reply.length; at++) {
    const reader = new ReplyReader()
    expect(reader.read(Buffer.from(reply.slice(0, at)))).toBe(0)
    expect(reader.read(Buffer.from(reply.slice(at)))).toBe(200)
    // And the next one on the same connection.
    expect(reader.read(Buffer.from('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n'))).toBe(503)
  }
})

test('it knows from the head that the server closes the connection', () => {
  const reader = new ReplyReader()
  expect(reader.read(Buffer.from('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'))).toBe(
    200,
  )
  expect(reader.last).toBe(true)
  reader.read(Buffer.from(reply))
  expect(reader.last).toBe(false)
})

test('what it cannot find the end of is an error and not a reply', () => {
  expect(() => new ReplyReader().read(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))).toThrow(/Content-Length/)
  expect(() => new ReplyReader().read(Buffer.from(`${reply}!`))).toThrow(/after the end/)
})
