import { describe, expect, test } from 'vitest'
import { fieldNameProblem, fieldValueProblem, hostProblem, pathProblem } from './http-field.ts'

describe('a header of a filter', () => {
  test.each(['x-team', 'Set-Cookie', 'b3', 'x_y'])('may be called %s', (name) => {
    expect(fieldNameProblem(name)).toBeUndefined()
  })
  test.each(['', 'a b', 'a:', ':method', 'é', 'a\r\nb', 'a'.repeat(257)])('may not be called %j', (name) => {
    expect(fieldNameProblem(name)).toContain('header name')
  })
  test.each(['Content-Length', 'transfer-encoding', 'CONNECTION', 'upgrade', 'te', 'Host'])(
    'may not be %s, which others rely on',
    (name) => {
      expect(fieldNameProblem(name)).toContain(name.toLowerCase())
    },
  )
  test.each(['', 'a', 'a b\tc', 'text/html; q=0.5', '"~"'])('may hold %j', (value) => {
    expect(fieldValueProblem(value)).toBeUndefined()
  })
  test.each(['a\r\nx: y', 'a\nb', '\0', ' a', 'a ', '\ta', 'é', 'a\x7f'])('may not hold %j', (value) => {
    expect(fieldValueProblem(value)).toContain('printable ASCII')
  })
})

test.each(['/', '/a/b.c~d', '/a%20b', "/a;b=c,(d)'"])('%j is a path', (path) => {
  expect(pathProblem(path)).toBeUndefined()
})
test.each(['', 'a', '/a b', '/a?b', '/a#b', '/a\r\nb', '/%', '/é', '*'])('%j is none', (path) => {
  expect(pathProblem(path)).toContain('must be a path')
})
test.each(['a', 'catalog.shop.svc', '10.0.0.1', '[::1]', 'x-1.y'])('%j is a host', (host) => {
  expect(hostProblem(host)).toBeUndefined()
})
test.each(['', 'a:80', '-a', 'a-', 'a b', 'a/b', 'é', 'a@b', '*.a'])('%j is none', (host) => {
  expect(hostProblem(host)).toContain('host')
})
