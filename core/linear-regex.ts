/**
 * Regular expressions that users wrote: RE2's syntax, as Envoy takes it, on an engine that looks at each character once.
 * Bounded in every direction, so that neither a pattern nor what it is matched against can stall the process.
 */
import { createRequire } from 'node:module'

/** Longer ones are only made to be slow. */
export const maxRegexLength = 1024
/** Steps of the compiled program: one character is looked at by each of them at worst. */
const maxRegexProgramSize = 500
/** What is longer matches no regex: nobody routes by it, and a crafted one costs the most. */
export const maxRegexInputLength = 8192

export type CompiledRegex =
  /** `matches`: the whole of `text` matches. */
  | { readonly ok: true; readonly matches: (text: string) => boolean }
  | { readonly ok: false; readonly problem: string }

/** Refused before it is compiled: copying out counted repetitions is what makes compiling slow. */
const maxEstimatedSize = 10 * maxRegexProgramSize

type Engine = typeof import('re2js')
let loaded: Engine | undefined

/** Loaded with the first regex: most sidecars never see one, and it takes 6 MB. */
function engine(): Engine {
  return (loaded ??= createRequire(import.meta.url)('re2js') as Engine)
}

function afterClass(pattern: string, start: number): number {
  // A bracket that comes first is one of the characters.
  let at = start + (pattern[start + 1] === '^' ? 2 : 1)
  if (pattern[at] === ']') at++
  while (at < pattern.length && pattern[at] !== ']') at += pattern[at] === '\\' ? 2 : 1
  return at + 1
}

/** About how many steps the program of `pattern` has, with its counted repetitions written out. */
function estimateSize(pattern: string): number {
  const groups: number[] = []
  let size = 0
  let atom = 0
  const counted = /\{(\d{1,9})(?:,(\d{0,9}))?\}/y
  for (let at = 0; at < pattern.length; ) {
    counted.lastIndex = at
    const repeat = counted.exec(pattern)
    if (repeat !== null) {
      const times = Math.max(Number(repeat[1]), Number(repeat[2] ?? 0))
      size += atom * (times - 1)
      atom *= times
      at += repeat[0].length
      continue
    }
    const char = pattern[at] as string
    if (char === '(') {
      groups.push(size)
      size = 0
    } else if (char === ')') {
      atom = size + 2
      size = atom + (groups.pop() ?? 0)
    } else {
      atom = 1
      size++
    }
    if (char === '[') at = afterClass(pattern, at)
    else at += char === '\\' ? 2 : 1
  }
  return size
}

/**
 * Compiles `pattern` (RE2's syntax: no back-references, no look-around). Never throws: what is malformed, not supported,
 * longer than `maxRegexLength` or larger than `maxRegexProgramSize` comes back as a problem.
 */
export function compileRegex(pattern: string): CompiledRegex {
  if (pattern.length > maxRegexLength)
    return { ok: false, problem: `regex is longer than ${maxRegexLength} characters` }
  if (estimateSize(pattern) > maxEstimatedSize) return { ok: false, problem: 'regex repeats too much' }
  const { RE2JS } = engine()
  try {
    const compiled = RE2JS.compile(pattern)
    const size = compiled.programSize()
    if (size > maxRegexProgramSize)
      return { ok: false, problem: `regex needs ${size} steps, more than ${maxRegexProgramSize}` }
    return {
      ok: true,
      matches: (text) => text.length <= maxRegexInputLength && compiled.testExact(text),
    }
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) }
  }
}
