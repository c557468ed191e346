/** V8's own threads, which collect garbage and compile beside the event loop. */
import { readdirSync, readFileSync } from 'node:fs'
import { setPriority } from 'node:os'

const tasks = '/proc/self/task'
/** Node's name for them; Linux. */
const name = 'node-V8Worker'
/** A tenth of the CPU is still theirs where everybody wants all of it, so that what is hot gets compiled. */
const niceness = 10

/**
 * Has them give way to the threads that requests go through: those of this process, of the application and of the other
 * sidecars on the machine. Else one that compiles for some milliseconds holds up whoever wants its CPU. Where threads have
 * no names, or no priority of their own, nothing happens.
 */
export function lowerBackgroundThreads(): void {
  for (const thread of threads()) {
    try {
      if (readFileSync(`${tasks}/${thread}/comm`, 'latin1').trim() === name)
        setPriority(Number(thread), niceness)
    } catch {
      // It is gone, or may not be asked.
    }
  }
}

function threads(): readonly string[] {
  try {
    return readdirSync(tasks)
  } catch {
    return []
  }
}
