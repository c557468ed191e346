import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatQuantityMilli, parseQuantityMilli } from './quantity.ts'

test.each([
  ['0', 0],
  ['1', 1000],
  ['+1', 1000],
  ['90', 90_000],
  ['500m', 500],
  ['1500m', 1500],
  ['1.5', 1500],
  ['.5', 500],
  ['5.', 5000],
  ['1.1', 1100],
  ['0.001', 1],
  ['1.0000', 1000],
  ['2k', 2_000_000],
  ['0.5k', 500_000],
  ['1M', 1_000_000_000],
  ['1Ki', 1_024_000],
  ['0.5Ki', 512_000],
  ['1e2', 100_000],
  ['1E-3', 1],
  ['5e-1', 500],
  ['1000000n', 1],
  ['2000u', 2],
])('%s is %i thousandths', (text, milli) => {
  expect(parseQuantityMilli(text)).toBe(milli)
})

test.each([
  '',
  'm',
  '-1',
  '-0.5',
  '1.2.3',
  '1 m',
  '0.5m',
  '1u',
  '1e',
  '1kk',
  '1K',
  '1ki',
  'NaN',
  '0x10',
  '9P',
  '1e99',
  '1,5',
])("'%s' is no weight", (text) => {
  expect(parseQuantityMilli(text)).toBeUndefined()
})

test('what is formatted reads as the same', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2_000_000_000 }), (milli) => {
      expect(parseQuantityMilli(formatQuantityMilli(milli))).toBe(milli)
    }),
  )
})
