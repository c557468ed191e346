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

/** Turns, one after the other, that had one wire to write to. The first may have begun before it was looked at. */
let loneTurns = 0
const provenLone = 2
/** Writes since then that waited for nobody. */
let unwaited = 0
/** As often as this it is looked at again whether there are others. */
const mostUnwaited = 16

function endTurn(): void {
  loneTurns = waiting.length === 1 ? loneTurns + 1 : 0
  unwaited = 0
  flushAll()
}

function flushAll(): void {
  const due = waiting
  waiting = []
  for (const flushable of due) flushable.flush()
}

/**
 * Calls `flushable.flush()` at the end of this turn of the event loop, or sooner. Where turns have one wire to write to,
 * waiting for their end would only cost: it is flushed when what called has returned.
 */
export function flushAtTurnsEnd(flushable: Flushable): void {
  const count = waiting.push(flushable)
  if (count === mostWaiting) flushAll()
  if (count !== 1) return
  if (unwaited === mostUnwaited) loneTurns = 0
  if (loneTurns < provenLone) {
    setImmediate(endTurn)
  } else {
    unwaited++
    queueMicrotask(flushAll)
  }
}
