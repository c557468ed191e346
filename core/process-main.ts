/** What the main of every process does: help, settings, log, start, signals. */
import { createLog, type Log } from './log.ts'
import { exitOnUncaught } from './main-guard.ts'
import { asksForHelp, settingsHelp, type SettingsInput, type SettingsTable } from './settings.ts'
import type { Shutdown } from './shutdown.ts'

type Environment = SettingsInput['env']

export type MainParts<S> = {
  /** Of the process, in its log. */
  readonly process: string
  /** How it is called, a line each. */
  readonly usage: readonly string[]
  readonly table: SettingsTable
  /** Throws WeftError CONFIG_INVALID with every problem. */
  readonly read: (input: SettingsInput) => S
  /** Resolves when it works; what it gives ends it. Rejects with WeftError when it cannot start. */
  readonly start: (settings: S, log: Log, env: Environment) => Promise<{ readonly shutdown: Shutdown }>
  /** How long the steps of the shutdown may take together. */
  readonly shutdownDeadlineMs: (settings: S) => number
}

/**
 * Gives a process's main, which takes arguments and environment and runs until a signal ends the process. It rejects with
 * WeftError when the process cannot start; asked for help, it prints that and resolves.
 */
export function processMain<S extends { readonly logLevel: string }>(
  parts: MainParts<S>,
): (args: readonly string[], env: Environment) => Promise<void> {
  return async (args, env) => {
    if (asksForHelp(args)) {
      process.stdout.write(`Usage: ${parts.usage.join('\n       ')}\n\n${settingsHelp(parts.table)}`)
      return
    }
    const settings = parts.read({ args, env })
    const log = createLog({ process: parts.process, level: settings.logLevel })
    exitOnUncaught(log)
    const { shutdown } = await parts.start(settings, log, env)
    shutdown.onSignals({ deadlineMs: parts.shutdownDeadlineMs(settings) })
  }
}
