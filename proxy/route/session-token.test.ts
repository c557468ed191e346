import { expect, test } from 'vitest'
import { HeaderList } from '../header-list.ts'
import { formatToken, parseToken, readCookie } from './session-token.ts'

const token = { cluster: 'catalog.shop:80', address: '[::1]:80', beganMs: 1_000, usedMs: 2_000 }

test('a token comes back as it was', () => {
  expect(parseToken(formatToken(token))).toEqual(token)
  expect(formatToken(token)).toMatch(/^[-_0-9A-Za-z]+$/)
})

test.each(['', 'x', '%%%', 'a'.repeat(2000), Buffer.from('a|b').toString('base64url'), 'fHx8'])(
  'what is no token is none: %s',
  (text) => {
    expect(parseToken(text)).toBeUndefined()
  },
)

test.each([
  [['s=1'], '1'],
  [['a=b; s=1; c=d'], '1'],
  [['as=0; s=1; s=2'], '1'],
  [['a=b', 's=1'], '1'],
  [['s'], undefined],
  [['sx=1'], undefined],
])('the cookie s of %j is %s', (fields, expected) => {
  const headers = HeaderList.of(...fields.flatMap((field) => ['Cookie', field]))
  expect(readCookie(headers, 's')).toBe(expected)
})
