import { expect, it } from 'vitest'
import { formatDuration, parseDurationMs } from './duration.ts'

it.each([
  ['0', 0],
  ['250ms', 250],
  ['1.5s', 1500],
  ['1h30m', 5_400_000],
  ['7d', 604_800_000],
])('reads %s', (text, ms) => expect(parseDurationMs(text)).toBe(ms))

it.each(['', '10', '-1s', '1 s', 's', '1w', '1s;', '99999999999999d'])('refuses "%s"', (text) => {
  expect(parseDurationMs(text)).toBeUndefined()
})

it('writes what it can read back', () => {
  for (const ms of [0, 1, 999, 60_000, 5_400_000, 90_061_001])
    expect(parseDurationMs(formatDuration(ms))).toBe(ms)
})
