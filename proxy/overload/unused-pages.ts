/**
 * Gives back what only some other time needed. Of the pages of Node's binary that a process has ever touched, all count
 * as resident until the kernel runs short; most are of its start and of compiling. What malloc has free among what is
 * in use (compiling takes and frees megabytes) stays with the process too. Linux with glibc; elsewhere nothing happens.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Clock } from '../../core/clock.ts'

/** Pages of a file as they are in the file, which are read again where they are touched again. */
export type Mapping = { readonly from: number; readonly bytes: number }

/** What does it: the kernel for a mapping, malloc for its own. */
export type PageKeeper = {
  readonly discard: (mapping: Mapping) => void
  readonly trim: () => void
}

const firstAfterMs = 5_000
/** Each time costs a millisecond, and another for what is touched again. */
const everyMs = 10_000
const madvDontNeed = 4

/**
 * The mappings in /proc/self/smaps that may be discarded: of files, that nobody may write to and nobody has written to.
 * What is read-only since the linker has filled it in has anonymous pages, and is no mapping of these.
 */
export function discardable(smaps: string): readonly Mapping[] {
  return smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).flatMap((mapping) => {
    const found = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p [0-9a-f]+ \S+ [1-9][0-9]* +\//.exec(mapping)
    if (found === null || !/^Anonymous: +0 kB$/m.test(mapping)) return []
    const from = Number.parseInt(found[1] as string, 16)
    return [{ from, bytes: Number.parseInt(found[2] as string, 16) - from }]
  })
}

/** By libc's own functions; undefined where there are none. */
function loadKeeper(): PageKeeper | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')
    const libc = koffi.load(null)
    const madvise = libc.func('int madvise(uintptr_t from, size_t bytes, int advice)')
    const trim = libc.func('int malloc_trim(size_t pad)')
    return {
      discard: ({ from, bytes }) => void madvise(from, bytes, madvDontNeed),
      trim: () => void trim(0),
    }
  } catch {
    // Another libc, or no native library for this machine.
    return undefined
  }
}

/**
 * Does it shortly after the start, and then every 10 s; ends with the process. `load` is called the first time: a
 * start has no time for libraries.
 */
export function keepGivingBackPages(clock: Clock, load: () => PageKeeper | undefined = loadKeeper): void {
  const again = (keeper: PageKeeper, mappings: readonly Mapping[], afterMs: number): void => {
    clock.after(afterMs, () => {
      giveBack(keeper, mappings)
      again(keeper, mappings, everyMs)
    })
  }
  clock.after(firstAfterMs, () => {
    const keeper = load()
    if (keeper === undefined) return
    // Which ones they are does not change, and reading that takes longer than all the rest.
    const mappings = discardable(readFileSync('/proc/self/smaps', 'latin1'))
    giveBack(keeper, mappings)
    again(keeper, mappings, everyMs)
  })
}

function giveBack(keeper: PageKeeper, mappings: readonly Mapping[]): void {
  for (const mapping of mappings) keeper.discard(mapping)
  keeper.trim()
}
