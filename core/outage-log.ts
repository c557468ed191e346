/** Says a trouble that lasts once, however many notice it and however often they try again. */
import { type ErrorCode, errorEntry, failureFields } from './errors.ts'
import type { Log } from './log.ts'

export class OutageLog {
  readonly #log: Log
  /** By who noticed it: the code of its last failure. */
  readonly #troubles = new Map<string, ErrorCode>()

  constructor(log: Log) {
    this.#log = log
  }

  /**
   * `source` failed. That is a warning with code, reason and what to do, unless somebody is in this trouble already:
   * an outage is long, and a log is read by people.
   */
  failed(source: string, error: unknown, fields: object = {}): void {
    const failure = failureFields(error)
    const { summary, hint } = errorEntry(failure.code)
    const level = [...this.#troubles.values()].includes(failure.code) ? 'debug' : 'warn'
    this.#troubles.set(source, failure.code)
    this.#log[level]({ ...failure, ...fields }, `${summary}; ${hint}`)
  }

  /** `source` works again: its next failure is news. */
  over(source: string): void {
    this.#troubles.delete(source)
  }
}
