/** How V8 collects garbage in a sidecar. */
import { setFlagsFromString } from 'node:v8'

/**
 * Of what was alive after the last collection. V8 itself lets a small heap grow to four times that on a machine with
 * memory to spare: with 128 requests under way, of which each scavenge takes some for old, a sidecar holds 50 MB of
 * garbage. A limit on the heap would make V8 as careful, and end a process that really needs more.
 */
const growthPercent = 50

/**
 * For the whole process, from the next collection on. V8 puts nothing into the old part at once because it thinks that it
 * will get old: where many requests are under way at each scavenge it takes their fields for such, and each of these,
 * though dead, keeps what it refers to alive until everything is collected. And a scavenge is made by this thread alone:
 * little survives one, and to wait for threads that share the other CPU with the application takes longer than the work.
 */
export function setUpCollection(): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`)
  setFlagsFromString('--no-allocation-site-pretenuring')
  setFlagsFromString('--no-parallel-scavenge')
  keepShapes()
}

/** Collections that a shape outlives without an object that has it. */
const shapeCollections = 1000

/**
 * A shape (V8's map) that no object has at a collection is forgotten, and with it all code that was compiled for it: where
 * few requests are under way, that is all of the hot path. At once so by the collections that V8 makes of an idle heap to
 * shrink it, which is why it makes none: pages that are free are given back without it (unused-pages.ts).
 */
function keepShapes(): void {
  setFlagsFromString(`--retain-maps-for-n-gc=${shapeCollections}`)
  setFlagsFromString('--memory-reducer-gc-count=0')
}
