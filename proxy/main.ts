/** The sidecar's process. */
import { runMain } from '../core/main-guard.ts'
import { processMain } from '../core/process-main.ts'
import { lowerBackgroundThreads } from './overload/background-threads.ts'
import { setUpCollection } from './overload/garbage-collection.ts'
import { startProxy } from './proxy.ts'
import { proxySettings, readProxySettings } from './settings.ts'

/** What the drain may take beside its own two times: closing the admin server, writing the state. */
const shutdownSlackMs = 5_000

/** Runs until a signal ends the process. Rejects with WeftError when it cannot start. */
export const main = processMain({
  process: 'proxy',
  usage: ['weft proxy [settings]'],
  table: proxySettings,
  read: readProxySettings,
  start: (settings, log) => {
    setUpCollection()
    lowerBackgroundThreads()
    return startProxy(settings, log)
  },
  shutdownDeadlineMs: ({ drainDelay, drainDeadline }) => drainDelay + drainDeadline + shutdownSlackMs,
})

if (import.meta.main) void runMain(() => main(process.argv.slice(2), process.env))
