/** How long a fuzz runs, and from which seed: WEFT_FUZZ_SECONDS for each property, WEFT_FUZZ_SEED to see a run again. */
import fc from 'fast-check'

const fuzzSeconds = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 15)

/** The same in CI each time, so that a change is not refused for what was there before it. */
const seedInCi = 20_261_010

function chooseSeed(): number {
  const given = process.env['WEFT_FUZZ_SEED']
  if (given !== undefined) return Number(given)
  return process.env['CI'] === undefined ? Date.now() % 2 ** 31 : seedInCi
}

export const fuzzSeed = chooseSeed()

/** How often each entry of a list of differences has explained something. */
export function tellHits(hits: ReadonlyMap<string, number>): void {
  for (const [name, count] of hits) process.stdout.write(`${String(count).padStart(8)} ${name}\n`)
}

/**
 * Checks `property` for `fuzzSeconds`, or as many times that as `share` says, prints the seed and gives the number of cases. Throws with the case that failed,
 * made as small as it gets.
 */
export async function fuzz<T>(name: string, property: fc.IAsyncProperty<T>, share = 1): Promise<number> {
  const seconds = fuzzSeconds * share
  const details = await fc.check(property, {
    seed: fuzzSeed,
    numRuns: 1_000_000_000,
    interruptAfterTimeLimit: seconds * 1000,
    markInterruptAsFailure: false,
  })
  process.stdout.write(`${name}: ${details.numRuns} cases in ${seconds} s, seed ${fuzzSeed}\n`)
  if (details.failed)
    throw new Error(
      `again with WEFT_FUZZ_SEED=${fuzzSeed}\n${fc.defaultReportMessage(details)}\n${String(details.errorInstance)}`,
    )
  return details.numRuns
}
