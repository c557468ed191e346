import { expect, test } from 'vitest'
import { broadForm, readablePath, withoutDotSegments } from './readable-path.ts'

test.each([
  ['/', '/', '/'],
  ['*', '*', '*'],
  ['/a/b', '/a/b', '/a/b'],
  ['//a///b//', '/a/b/', '/a/b/'],
  ['/a/./b/.', '/a/b/', '/a/b/'],
  ['/a/../b', '/b', '/b'],
  ['/..', '/', '/'],
  ['/../../b', '/b', '/b'],
  ['/a/%2e%2E/b', '/b', '/b'],
  ['/a/.%2e/b', '/b', '/b'],
  ['/%70rivate', '/private', '/private'],
  ['/%7Euser/%41%5f', '/~user/A_', '/~user/A_'],
  ['/a%20b', '/a%20b', '/a b'],
  ['/caf%C3%A9', '/caf%C3%A9', '/café'],
  ['/a%3Bb', '/a%3Bb', '/a;b'],
  ['/100%25', '/100%25', '/100%'],
  ['/...', '/...', '/...'],
  ['/a;b=c/d', '/a;b=c/d', '/a;b=c/d'],
  ['/%E2%80%A6', '/%E2%80%A6', '/…'],
  ['/..a/.b', '/..a/.b', '/..a/.b'],
  ['/;session=a', '/;session=a', '/;session=a'],
  ['//host/private', '/host/private', '/host/private'],
])('%s is sent as %s and reads %s', (path, sent, read) => {
  expect(readablePath(path)).toEqual({ sent, read })
})

test.each([
  '/a%2fb',
  '/a%2Fb',
  '/a%5Cb',
  '/a\\b',
  '/%00',
  '/a%0d%0ab',
  '/a%09',
  '/%',
  '/%4',
  '/%zz',
  '/%252e%252e/b',
  '/%2570rivate',
  '/..;/b',
  '/a/.;x/b',
  '/%2e%2e;/b',
  '/%c0%afb',
  '/%e0%80%af',
  '/caf%e9',
  // Encoded twice, in parts.
  '/a%25%32%66b',
  '/%25%32%65%25%32%65/b',
  '/..%3b/b',
  '/;x/host/b',
  '/%3bx/host/b',
  '/a/.%3Bx/b',
  '/..%20/b',
  '/a/.%C2%A0',
  '/a/%EF%BC%8E%EF%BC%8E/b',
  '/a%EF%BC%8Fb',
  '/a%EF%BC%BCb',
  '/a%EF%BC%85b',
  '/a/%E2%80%A5/b',
])('%s can be read in more than one way', (path) => {
  expect(readablePath(path)).toBeUndefined()
})

test('a path that was read is read the same once more', () => {
  for (const path of ['/a/./b//c/%2e%2e/%41', '//..//x', '/%2e/%2e%2e/', '/a/%2e']) {
    const once = readablePath(path)?.sent ?? ''
    expect(readablePath(once)?.sent).toBe(once)
  }
})

test.each([
  ['/Private/', '/private'],
  ['/private;x=y/z;w', '/private/z'],
  ['/;x/private', '/private'],
  ['/private?x', '/private'],
  ['/private#x', '/private'],
  ['/private. /x', '/private/x'],
  ['/private.', '/private'],
  ['/private ', '/private'],
  ['/private\ufeff', '/private'],
  ['/private.d/x', '/private.d/x'],
  ['/ｐrivate', '/private'],
  ['/', '/'],
])('what denies sees %s as %s', (read, broad) => {
  expect(broadForm(read)).toBe(broad)
})

test.each([
  ['/a/../b?c=/../d', '/b?c=/../d'],
  ['/a/%2e%2e/b', '/b'],
  ['/a//../b', '/a/b'],
  ['/a/b%2F..%2fc', '/a/b%2F..%2fc'],
  ['/a?b=/./c', '/a?b=/./c'],
  ['/a/..', '/'],
  ['/...', '/...'],
])('%s leads to %s', (target, plain) => {
  expect(withoutDotSegments(target)).toBe(plain)
})
