/** Time as far as it is this process's own: what a busy machine keeps it from working does not count. */
import { readFileSync } from 'node:fs'

/** Milliseconds of no particular beginning, less those in which the main thread was ready and had to wait for a processor. */
export function ownTimeMs(): number {
  return performance.now() - waitedMs()
}

/** proc(5): the second number is the time on a run queue, in nanoseconds. Only Linux tells; elsewhere all time counts. */
function waitedMs(): number {
  if (process.platform !== 'linux') return 0
  return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6
}
