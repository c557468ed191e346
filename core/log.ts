/** The log of a process: JSON lines on standard output. */
import pino from 'pino'

export type Log = pino.Logger

/** What waits for a reader of our output who does not read; beyond it lines are lost rather than memory. */
const MOST_WAITING_BYTES = 8 * 1024 * 1024

/** Fields that would give a secret away if someone logged the object around them by mistake. */
const SECRET_FIELDS = ['token', 'authorization', 'keyPem', '*.token', '*.authorization', '*.keyPem']

/**
 * A log for the process of that name. Levels are those of pino (`trace` to `fatal`, `silent`); assign
 * `log.level` to change it later. Errors go under the key `error`.
 */
export function createLog(options: {
  readonly process: string
  readonly level: string
  readonly destination?: pino.DestinationStream
}): Log {
  return pino(
    {
      level: options.level,
      base: { process: options.process },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      errorKey: 'error',
      serializers: { error: pino.stdSerializers.errWithCause },
      redact: { paths: SECRET_FIELDS, censor: '[redacted]' },
    },
    // Not synchronous: a slow reader of our output must not stop traffic. pino flushes it on exit.
    options.destination ?? pino.destination({ fd: 1, sync: false, maxLength: MOST_WAITING_BYTES }),
  )
}

/** Where the lines of `log` go, for those that write whole lines of their own between them. */
export function destinationOf(log: Log): pino.DestinationStream {
  return (log as unknown as Record<symbol, pino.DestinationStream>)[
    pino.symbols.streamSym
  ] as pino.DestinationStream
}
