/** How far the heap may grow before all of it is collected, and what goes into its old part. */
import { setFlagsFromString } from 'node:v8'

/**
 * Of what was alive after the last collection. V8 itself lets a small heap grow to four times that on a machine with
 * memory to spare: with 128 requests under way, of which each scavenge takes some for old, a sidecar holds 50 MB of
 * garbage. A limit on the heap would make V8 as careful, and end a process that really needs more.
 */
const growthPercent = 50

/**
 * For the whole process, from the next collection on. Nor does V8 put into the old part at once what it thinks will get
 * old: where many requests are under way at each scavenge it takes their fields for such, and each of these, though dead,
 * keeps what it refers to alive until everything is collected.
 */
export function limitHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`)
  setFlagsFromString('--no-allocation-site-pretenuring')
}
