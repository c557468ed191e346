import { expect, test } from 'vitest'
import { pathRewriter } from './path-rewrite.ts'

// The table of the Gateway API's ReplacePrefixMatch, and what it leaves open.
test.each([
  ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
  ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
  ['/foo/bar', '/foo/', '/xyz', '/xyz/bar'],
  ['/foo/bar', '/foo/', '/xyz/', '/xyz/bar'],
  ['/foo', '/foo', '/xyz', '/xyz'],
  ['/foo/', '/foo', '/xyz', '/xyz/'],
  ['/foo/bar', '/foo', '', '/bar'],
  ['/foo/', '/foo', '', '/'],
  ['/foo', '/foo', '', '/'],
  ['/foo/', '/foo', '/', '/'],
  ['/foo', '/foo', '/', '/'],
  ['/bar', '/', '/xyz', '/xyz/bar'],
  ['/', '/', '/xyz', '/xyz/'],
  ['/foo/bar?a=/foo', '/foo', '/xyz', '/xyz/bar?a=/foo'],
])('%s, of which %s becomes %j, is %s', (target, matched, value, expected) => {
  expect(pathRewriter({ kind: 'elements', matched, value })(target)).toBe(expected)
})

test('a full rewrite leaves the query alone', () => {
  expect(pathRewriter({ kind: 'full', value: '/new' })('/old/path?x=1')).toBe('/new?x=1')
})

test('bytes are replaced as they are', () => {
  expect(pathRewriter({ kind: 'bytes', matched: '/a/', value: '/b/' })('/a/c?d')).toBe('/b/c?d')
  expect(pathRewriter({ kind: 'bytes', matched: '/a', value: '' })('/a/c')).toBe('/c')
})
