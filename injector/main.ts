/** The injector's process. */
import { runMain } from '../core/main-guard.ts'
import { processMain } from '../core/process-main.ts'
import { startInjector } from './injector.ts'
import { injectorSettings, readInjectorSettings } from './settings.ts'

/** Beside the time in which it still answers. */
const shutdownSlackMs = 5_000

/** Runs until a signal ends the process. Rejects with WeftError when it cannot start. */
export const main = processMain({
  process: 'injector',
  usage: ['weft injector [settings]'],
  table: injectorSettings,
  read: readInjectorSettings,
  start: (settings, log, env) => startInjector(settings, log, env),
  shutdownDeadlineMs: ({ drainDelay }) => drainDelay + shutdownSlackMs,
})

if (import.meta.main) void runMain(() => main(process.argv.slice(2), process.env))
