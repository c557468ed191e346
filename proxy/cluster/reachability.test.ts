import { expect, test } from 'vitest'
import { firstRestMs, longestRestMs, Reachability } from './reachability.ts'

test('an endpoint rests after a failed connection, twice as long each time, up to a limit', () => {
  const reachability = new Reachability()
  let nowMs = 0
  for (let restMs = firstRestMs; restMs < 4 * longestRestMs; restMs *= 2) {
    reachability.failed(nowMs, nowMs)
    const expectedMs = Math.min(restMs, longestRestMs)
    expect(reachability.rests(nowMs + expectedMs - 1)).toBe(true)
    expect(reachability.rests(nowMs + expectedMs)).toBe(false)
    nowMs += expectedMs
  }
})

test('a connection ends the rest, and the next failure begins anew', () => {
  const reachability = new Reachability()
  reachability.failed(0, 0)
  reachability.failed(200, 200)
  reachability.reached()
  expect(reachability.rests(201)).toBe(false)
  reachability.failed(300, 300)
  expect(reachability.rests(300 + firstRestMs)).toBe(false)
})

test('attempts that were under way at the first failure do not make the rest longer', () => {
  const reachability = new Reachability()
  reachability.failed(0, 10)
  for (let i = 0; i < 16; i++) reachability.failed(5, 11)
  expect(reachability.rests(10 + firstRestMs)).toBe(false)
})

test('after a rest one attempt is made at a time', () => {
  const reachability = new Reachability()
  reachability.trying(0)
  expect(reachability.rests(0)).toBe(false)
  reachability.failed(0, 0)
  reachability.trying(firstRestMs)
  expect(reachability.rests(firstRestMs)).toBe(true)
})
