/** How far the heap may grow before all of it is collected. */
import { setFlagsFromString } from 'node:v8'

/**
 * Of what was alive after the last collection. V8 itself lets a small heap grow to four times that on a machine with
 * memory to spare: with 128 requests under way, of which each scavenge takes some for old, a sidecar holds 50 MB of
 * garbage. A limit on the heap would make V8 as careful, and end a process that really needs more.
 */
const growthPercent = 50

/** For the whole process, from the next collection on. */
export function limitHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`)
}
