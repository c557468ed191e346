/**
 * What is written in one turn of the event loop leaves at its end. A write wakes whoever reads at the other side, and
 * that one takes the processor from us at once; writing when everything that had arrived is dealt with leaves the
 * switch for when there is nothing else to do, and what goes to one connection leaves in one system call.
 */

export interface Flushable {
  flush(): void
}

/** So many wait at most: with thousands of busy connections a turn is long. */
const mostWaiting = 64

let waiting: Flushable[] = []

function flushAll(): void {
  const due = waiting
  waiting = []
  for (const flushable of due) flushable.flush()
}

/** Calls `flushable.flush()` at the end of this turn of the event loop, or sooner. */
export function flushAtTurnsEnd(flushable: Flushable): void {
  const count = waiting.push(flushable)
  if (count === 1) setImmediate(flushAll)
  else if (count === mostWaiting) flushAll()
}
