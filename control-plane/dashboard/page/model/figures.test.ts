import { expect, test } from 'vitest'
import { healthOf, noFigures, sumFigures } from './figures.ts'

test('rates add up, and what more requests went through counts more', () => {
  const sum = sumFigures([
    { ...noFigures, requestsPerSecond: 90, successRatio: 1, mtlsRatio: 1 },
    { ...noFigures, requestsPerSecond: 10, successRatio: 0.5, mtlsRatio: 0 },
  ])
  expect(sum).toMatchObject({ requestsPerSecond: 100, successRatio: 0.95, mtlsRatio: 0.9 })
})

test('of latencies the highest counts, and unknown ones do not', () => {
  const sum = sumFigures([
    { ...noFigures, p99Ms: 12 },
    { ...noFigures, p99Ms: null },
    { ...noFigures, p99Ms: 40 },
  ])
  expect(sum.p99Ms).toBe(40)
})

test('without requests there is no success ratio, and mTLS goes by connections', () => {
  const sum = sumFigures([
    { ...noFigures, openConnections: 3, mtlsRatio: 1 },
    { ...noFigures, openConnections: 1, mtlsRatio: 0 },
  ])
  expect(sum).toMatchObject({ successRatio: null, mtlsRatio: 0.75, openConnections: 4 })
})

test.each([
  [1, 'good'],
  [0.99, 'good'],
  [0.989, 'warning'],
  [0.95, 'warning'],
  [0.949, 'bad'],
  [null, 'quiet'],
] as const)('a success ratio of %s is %s', (successRatio, health) => {
  expect(healthOf({ ...noFigures, successRatio })).toBe(health)
})
