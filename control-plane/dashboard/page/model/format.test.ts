import { expect, test } from 'vitest'
import { formatBytes, formatMs, formatPercent, formatRate, formatSpan } from './format.ts'

test.each([
  [0, '0'],
  [0.4234, '0.42'],
  [12.34, '12.3'],
  [840.4, '840'],
  [12_345, '12.3k'],
])('a rate of %s is written %s', (rate, text) => {
  expect(formatRate(rate)).toBe(text)
})

test.each([
  [null, '–'],
  [0, '0 %'],
  [1, '100 %'],
  [0.99999, '99.99 %'],
  [0.9997, '99.97 %'],
  [0.972, '97.2 %'],
])('a ratio of %s is written %s: only all is 100 %%', (ratio, text) => {
  expect(formatPercent(ratio)).toBe(text)
})

test.each([
  [null, '–'],
  [1.234, '1.23 ms'],
  [48.25, '48.3 ms'],
  [1240, '1.24 s'],
])('%s ms are written %s', (ms, text) => {
  expect(formatMs(ms)).toBe(text)
})

test.each([
  [-5, '0 s'],
  [42_000, '42 s'],
  [11 * 60_000, '11 min'],
  [17.5 * 3_600_000, '17 h 30 min'],
  [7 * 3_600_000, '7 h'],
  [76 * 3_600_000, '3 d 4 h'],
])('a span of %s ms is written %s', (ms, text) => {
  expect(formatSpan(ms)).toBe(text)
})

test.each([
  [512, '512 B'],
  [2048, '2.00 KiB'],
  [5 * 1024 * 1024, '5.00 MiB'],
])('%s bytes are written %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})
