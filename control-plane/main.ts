/** The control plane's process. */
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js'
import { runMain } from '../core/main-guard.ts'
import { processMain } from '../core/process-main.ts'
import { startControlPlane } from './control-plane.ts'
import { controlPlaneSettings, readControlPlaneSettings } from './settings.ts'

const shutdownDeadlineMs = 10_000

/** Runs until a signal ends the process. Rejects with WeftError when it cannot start. */
export const main = processMain({
  process: 'control-plane',
  usage: [
    'weft control-plane --config FOLDER --state FOLDER [settings]',
    'weft control-plane --kubernetes [settings]',
  ],
  table: controlPlaneSettings,
  read: readControlPlaneSettings,
  start: (settings, log) => {
    // Whatever gRPC has to say reaches us as an error, and is said once, in our own words.
    setLogVerbosity(logVerbosity.NONE)
    return startControlPlane(settings, log)
  },
  shutdownDeadlineMs: () => shutdownDeadlineMs,
})

if (import.meta.main) void runMain(() => main(process.argv.slice(2), process.env))
