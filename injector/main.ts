/** The injector's process: settings, log, start, signals. */
import { createLog } from '../core/log.ts'
import { exitOnUncaught, runMain } from '../core/main-guard.ts'
import { asksForHelp, settingsHelp } from '../core/settings.ts'
import { startInjector } from './injector.ts'
import { injectorSettings, readInjectorSettings } from './settings.ts'

/** Beside the time in which it still answers. */
const shutdownSlackMs = 5_000

/** Runs until a signal ends the process. Throws WeftError when it cannot start. */
export async function main(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  if (asksForHelp(args)) {
    process.stdout.write(`Usage: weft injector [settings]\n\n${settingsHelp(injectorSettings)}`)
    return
  }
  const settings = readInjectorSettings({ args, env })
  const log = createLog({ process: 'injector', level: settings.logLevel })
  exitOnUncaught(log)
  const { shutdown } = await startInjector(settings, log, env)
  shutdown.onSignals({ deadlineMs: settings.drainDelay + shutdownSlackMs })
}

if (import.meta.main) void runMain(() => main(process.argv.slice(2), process.env))
