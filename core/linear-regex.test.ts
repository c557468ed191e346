import { describe, expect, test } from 'vitest'
import { compileRegex, maxRegexInputLength, maxRegexLength } from './linear-regex.ts'

function problem(pattern: string): string {
  const compiled = compileRegex(pattern)
  return compiled.ok ? 'none' : compiled.problem
}

function matches(pattern: string, text: string): boolean {
  const compiled = compileRegex(pattern)
  if (!compiled.ok) throw new Error(compiled.problem)
  return compiled.matches(text)
}

/** How long the fastest of several runs takes: what is slow is slow each time, and a busy machine is not. */
function fastestMs(run: () => void): number {
  let fastest = Number.POSITIVE_INFINITY
  for (let i = 0; i < 3; i++) {
    const start = performance.now()
    run()
    fastest = Math.min(fastest, performance.now() - start)
  }
  return fastest
}

test('the whole text has to match, as with safe_regex', () => {
  expect(matches('/api/v[0-9]+', '/api/v2')).toBe(true)
  expect(matches('/api/v[0-9]+', '/api/v2/users')).toBe(false)
  expect(matches('/api/v[0-9]+', '/x/api/v2')).toBe(false)
  expect(matches('a|ab', 'ab')).toBe(true)
})

test('the syntax is that of RE2', () => {
  expect(matches('(?i)abc', 'ABC')).toBe(true)
  expect(matches('\\A[[:alpha:]]+\\z', 'abc')).toBe(true)
  expect(matches('(?P<name>a)\\pL', 'ab')).toBe(true)
  expect(matches('\\Qa.b\\E', 'a.b')).toBe(true)
  expect(matches('\\Qa.b\\E', 'axb')).toBe(false)
})

describe('is refused with the reason', () => {
  test.each([
    ['look-around', '(?=a)b', '(?='],
    ['a back-reference', '(a)\\1', '\\1'],
    ['an open bracket', '[a', 'missing closing ]'],
    ['an open parenthesis', '(a', 'missing closing )'],
    ['an unknown escape', '\\h', '\\h'],
    ['a repetition of nothing', '*a', '*'],
    ['more than a thousand repetitions', 'a{1001}', '{1001}'],
    ['too many characters', 'a'.repeat(maxRegexLength + 1), '1024 characters'],
    ['too large a program', '.{900}', 'steps'],
    ['nested repetitions that multiply', '((a{50}){50}){50}', 'repeats too much'],
    ['many repetitions that add up', 'a{999}'.repeat(100), 'repeats too much'],
  ])('%s', (_what, pattern, reason) => {
    expect(problem(pattern)).toContain(reason)
  })
})

test('a brace or bracket that stands for itself counts as one character', () => {
  expect(problem('[]{999}]')).toBe('none')
  expect(problem('\\{999\\}')).toBe('none')
  expect(matches('a{,2}', 'a{,2}')).toBe(true)
})

test.each(['(a+)+b', '(a|aa)+b', '(.*)*(.*)*(.*)*x', '(a?){60}a{60}', '(x+x+)+y', '(a|b)*a(a|b){100}'])(
  'what makes other engines stall costs milliseconds: %s',
  (pattern) => {
    const compiled = compileRegex(pattern)
    if (!compiled.ok) throw new Error(compiled.problem)
    const texts = ['a', 'x', 'ab', 'abbaab'].map((part) =>
      part.repeat(maxRegexInputLength).slice(0, maxRegexInputLength),
    )
    // A backtracking engine would need longer than the universe; the bound is for a machine that is busy.
    expect(fastestMs(() => texts.forEach((text) => void compiled.matches(text)))).toBeLessThan(2000)
  },
)

test.each([
  ['a{999}'.repeat(170)],
  ['\\pL{1000}'.repeat(113)],
  ['('.repeat(400) + 'a' + ')'.repeat(400)],
  ['(((((a{9}){9}){9}){9}){9})'.repeat(30)],
])('no pattern takes long to be refused or compiled', (pattern) => {
  expect(fastestMs(() => void compileRegex(pattern))).toBeLessThan(500)
})

test('what is longer than any path matches no regex', () => {
  expect(matches('a*', 'a'.repeat(maxRegexInputLength))).toBe(true)
  expect(matches('a*', 'a'.repeat(maxRegexInputLength + 1))).toBe(false)
})
