import { expect, it } from 'vitest'
import { millisecondsText, quoted } from './json-text.ts'

it.each([0, 0.0004, 0.001, 0.1, 0.25, 1, 1.0005, 1.999, 1.9996, 12.34, 59_999.999, 3_600_000, -0.2, 1e9])(
  '%d ms is the number that JSON has for it, to microseconds',
  (ms) => expect(Number(millisecondsText(ms))).toBeCloseTo(Math.round(ms * 1000) / 1000, 9),
)

it.each(['plain', 'quo"te', 'back\\slash', 'new\nline', '\u007f', 'ünicode', ''])(
  '%j is quoted as JSON',
  (text) => {
    expect(JSON.parse(quoted(text))).toBe(text)
  },
)
