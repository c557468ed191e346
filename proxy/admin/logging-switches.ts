/** What is logged and traced, as /logging shows and changes it. */
import type { Log } from '../../core/log.ts'
import type { ObserveSwitches } from '../observe.ts'
import { accessLogFilters, accessLogFormats } from '../telemetry/access-log.ts'

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const

/** What holds now. */
export function loggingNow(log: Log, { sampling, accessLog }: ObserveSwitches): object {
  return {
    level: log.level,
    traceSampling: sampling.rate,
    accessLog: accessLog.format,
    accessLogFilter: accessLog.filter,
  }
}

/** A switch by the name of its parameter: what it may be, and how it is set. */
type Switch = { readonly takes: string; readonly set: (text: string) => (() => void) | undefined }

function oneOf<T extends string>(choices: readonly T[], set: (choice: T) => void): Switch {
  return {
    takes: `one of ${choices.join(', ')}`,
    set: (text) => {
      const choice = choices.find((name) => name === text)
      return choice === undefined ? undefined : () => set(choice)
    },
  }
}

function switchesOf(log: Log, { sampling, accessLog }: ObserveSwitches): ReadonlyMap<string, Switch> {
  return new Map<string, Switch>([
    ['level', oneOf(levels, (level) => (log.level = level))],
    [
      'traceSampling',
      {
        takes: 'from 0 to 1',
        set: (text) =>
          /^\d+(\.\d+)?$/.test(text) && Number(text) <= 1 ? () => (sampling.rate = Number(text)) : undefined,
      },
    ],
    ['accessLog', oneOf(accessLogFormats, (format) => (accessLog.format = format))],
    ['accessLogFilter', oneOf(accessLogFilters, (filter) => (accessLog.filter = filter))],
  ])
}

/** Sets what `query` names, all of it or nothing. Gives what is wrong, or undefined. */
export function setLogging(query: URLSearchParams, log: Log, switches: ObserveSwitches): string | undefined {
  const known = switchesOf(log, switches)
  const changes: (() => void)[] = []
  for (const [name, text] of query) {
    const found = known.get(name)
    if (found === undefined) return `'${name}' is none of ${[...known.keys()].join(', ')}`
    const change = found.set(text)
    if (change === undefined) return `${name} is ${found.takes}`
    changes.push(change)
  }
  if (changes.length === 0) return `say one or more of ${[...known.keys()].join('=..., ')}=...`
  for (const change of changes) change()
  return undefined
}
