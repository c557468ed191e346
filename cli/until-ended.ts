/** A command that goes on until somebody ends it. */
import { setTimeout } from 'node:timers/promises'

/** Aborted by the first signal; a launcher and a terminal may both pass on the same Ctrl-C, so later ones change nothing. */
export function untilEnded(): AbortSignal {
  const ended = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ended.abort())
  return ended.signal
}

/** Resolves after `ms`, or when `signal` ends it. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined)
}
