import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatGrpcTimeout, parseGrpcTimeout } from './grpc-timeout.ts'

test.each([
  ['1S', 1_000],
  ['250m', 250],
  ['2M', 120_000],
  ['1H', 3_600_000],
  ['1500u', 1.5],
  ['0n', 0],
  ['99999999H', 359_999_996_400_000],
])('%s is %d ms', (text, ms) => {
  expect(parseGrpcTimeout(text)).toBe(ms)
})

test.each(['', '1', '1s', '+1S', '-1S', '1.5S', ' 1S', '1 S', '100000000m', 'S'])(
  '%j is no timeout',
  (text) => {
    expect(parseGrpcTimeout(text)).toBeUndefined()
  },
)

test('what is written is read again as at least as long, and hardly longer', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1e11, noNaN: true }), (ms) => {
      const text = formatGrpcTimeout(ms)
      expect(text).toMatch(/^[0-9]{1,8}[HMSmun]$/)
      const read = parseGrpcTimeout(text) as number
      expect(read).toBeGreaterThanOrEqual(ms * (1 - 1e-12))
      expect(read).toBeLessThanOrEqual(ms * 1.01 + 0.001)
    }),
  )
})

test('no time left is said as such', () => {
  expect(formatGrpcTimeout(0)).toBe('0n')
  expect(formatGrpcTimeout(-3)).toBe('0n')
})
