/** Everything that ends the demo from outside. */

const parentCheckMs = 500

/**
 * Resolves when the demo is to end: a signal, nobody reads what it prints any more, or the process that started it is
 * gone. Signals after the first one change nothing: a terminal and a launcher may both pass on the same Ctrl-C.
 */
export function interruption(): Promise<'interrupted'> {
  return new Promise((resolve) => {
    const interrupt = (): void => resolve('interrupted')
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt)
    process.stdout.on('error', interrupt)
    const parent = process.ppid
    setInterval(() => {
      if (process.ppid !== parent) interrupt()
    }, parentCheckMs).unref()
  })
}
