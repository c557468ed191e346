import { describe as group, expect, it } from 'vitest'
import {
  WeftError,
  describe,
  errorCodes,
  errorEntry,
  exitStatusOf,
  reasonOf,
  type ErrorCode,
} from './errors.ts'

group('the table of codes', () => {
  it('has a one-line summary and hint for every code', () => {
    for (const [code, entry] of Object.entries(errorCodes)) {
      expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
      expect(entry.summary).toMatch(/^\S.*[^.\s]$/)
      expect(entry.hint).toMatch(/^\S.*[^.\s]$/)
    }
  })

  it('answers requests with error statuses only', () => {
    for (const code of Object.keys(errorCodes) as ErrorCode[]) {
      const { http } = errorEntry(code)
      if (http !== undefined) expect(http.status).toBeGreaterThanOrEqual(400)
    }
  })
})

group('describe', () => {
  it('gives one line with code, sentence, every problem and the hint', () => {
    const error = new WeftError('CONFIG_INVALID', 'two\nlines', {
      detail: ['--a is required', '--b is wrong'],
    })
    expect(describe(error)).toBe(
      `CONFIG_INVALID: two lines: --a is required; --b is wrong (${errorCodes.CONFIG_INVALID.hint})`,
    )
  })

  it('calls anything without a code INTERNAL', () => {
    expect(describe(new TypeError('x is undefined'))).toMatch(/^INTERNAL: x is undefined \(/)
    expect(describe('thrown text')).toMatch(/^INTERNAL: thrown text \(/)
  })
})

it('takes the exit status from the table', () => {
  expect(exitStatusOf(new WeftError('CONFIG_INVALID', ''))).toBe(2)
  expect(exitStatusOf(new WeftError('PORT_IN_USE', ''))).toBe(1)
  expect(exitStatusOf('anything')).toBe(1)
})

it('finds a reason where the error itself has no message', () => {
  expect(reasonOf(new AggregateError([new Error('connect ECONNREFUSED')], ''))).toBe('connect ECONNREFUSED')
  expect(reasonOf(new RangeError(''))).toBe('RangeError')
})
