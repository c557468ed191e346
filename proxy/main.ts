/** The sidecar's process: settings, log, start, signals. */
import { createLog } from '../core/log.ts'
import { exitOnUncaught, runMain } from '../core/main-guard.ts'
import { asksForHelp, settingsHelp } from '../core/settings.ts'
import { limitHeapGrowth } from './overload/heap-growth.ts'
import { startProxy } from './proxy.ts'
import { proxySettings, readProxySettings } from './settings.ts'

/** What the drain may take beside its own two times: closing the admin server, writing the state. */
const shutdownSlackMs = 5_000

/** Runs until a signal ends the process. Throws WeftError when it cannot start. */
export async function main(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  if (asksForHelp(args)) {
    process.stdout.write(`Usage: weft proxy [settings]\n\n${settingsHelp(proxySettings)}`)
    return
  }
  const settings = readProxySettings({ args, env })
  const log = createLog({ process: 'proxy', level: settings.logLevel })
  exitOnUncaught(log)
  limitHeapGrowth()
  const { shutdown } = await startProxy(settings, log)
  shutdown.onSignals({ deadlineMs: settings.drainDelay + settings.drainDeadline + shutdownSlackMs })
}

if (import.meta.main) void runMain(() => main(process.argv.slice(2), process.env))
