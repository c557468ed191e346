/** The control plane's process: settings, log, start, signals. */
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js'
import { createLog } from '../core/log.ts'
import { exitOnUncaught, runMain } from '../core/main-guard.ts'
import { asksForHelp, settingsHelp } from '../core/settings.ts'
import { startControlPlane } from './control-plane.ts'
import { controlPlaneSettings, readControlPlaneSettings } from './settings.ts'

const shutdownDeadlineMs = 10_000

/** Runs until a signal ends the process. Throws WeftError when it cannot start. */
export async function main(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  if (asksForHelp(args)) {
    process.stdout.write(
      `Usage: weft control-plane --config FOLDER --state FOLDER [settings]\n       weft control-plane --kubernetes [settings]\n\n${settingsHelp(controlPlaneSettings)}`,
    )
    return
  }
  // Whatever gRPC has to say reaches us as an error, and is said once, in our own words.
  setLogVerbosity(logVerbosity.NONE)
  const settings = readControlPlaneSettings({ args, env })
  const log = createLog({ process: 'control-plane', level: settings.logLevel })
  exitOnUncaught(log)
  const { shutdown } = await startControlPlane(settings, log)
  shutdown.onSignals({ deadlineMs: shutdownDeadlineMs })
}

if (import.meta.main) void runMain(() => main(process.argv.slice(2), process.env))
