import { expect, test } from 'vitest'
import { encodeRequest, plainGet } from './request.ts'

test('a request has the authority that weft routes by, its fields and its body', () => {
  expect(encodeRequest(plainGet).toString()).toBe('GET / HTTP/1.1\r\nHost: app.bench:8080\r\n\r\n')
  const upload = encodeRequest({ method: 'POST', path: '/upload', headers: [['A', 'b']], bodyBytes: 3 })
  expect(upload.toString()).toBe(
    'POST /upload HTTP/1.1\r\nHost: app.bench:8080\r\nA: b\r\nContent-Length: 3\r\n\r\nxxx',
  )
})
