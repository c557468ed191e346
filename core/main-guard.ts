/** The edge of every process: the one place where an error becomes a line for people and an exit status. */
import { describe, exitStatusOf } from './errors.ts'
import type { Log } from './log.ts'

export type MainEdge = {
  readonly writeLine: (line: string) => void
  readonly exit: (status: number) => void
}

const processEdge: MainEdge = {
  writeLine: (line) => void process.stderr.write(`${line}\n`),
  exit: (status) => process.exit(status),
}

/**
 * Runs a process's main. An error it throws is printed as one line on standard error, and the process exits
 * with the status of its code.
 */
export async function runMain(main: () => Promise<void>, edge: MainEdge = processEdge): Promise<void> {
  try {
    await main()
  } catch (error) {
    exitWith(error, edge)
  }
}

/** Prints the error's one line and ends the process. */
export function exitWith(error: unknown, edge: MainEdge = processEdge): void {
  edge.writeLine(`weft: ${describe(error)}`)
  edge.exit(exitStatusOf(error))
}

/** An error that nobody caught leaves the process in an unknown state: it is logged, and the process ends. */
export function exitOnUncaught(log: Log, edge: MainEdge = processEdge): void {
  process.on('uncaughtException', (error: unknown, origin) => {
    log.fatal({ error, origin }, 'an error that nobody caught')
    exitWith(error, edge)
  })
}
