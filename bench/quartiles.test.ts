import { expect, test } from 'vitest'
import { quartiles } from './quartiles.ts'

test('quartiles lie between ranks', () => {
  expect(quartiles([4, 1, 3, 2])).toEqual({ lower: 1.75, median: 2.5, upper: 3.25 })
})
