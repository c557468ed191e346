/** The ordered end of a process: what was started last stops first, and nothing waits beyond the deadline. */
import { type Clock, systemClock } from './clock.ts'
import { WeftError } from './errors.ts'
import type { Log } from './log.ts'

type Step = { readonly name: string; readonly stop: () => Promise<void> }

/** What the steps that the deadline cut short still get, started together, for a last write to disk. */
const LAST_STEPS_MS = 500
/** A terminal and a launcher may both pass on the same Ctrl-C. */
const SAME_SIGNAL_MS = 300

export class Shutdown {
  readonly #log: Log
  readonly #clock: Clock
  readonly #exit: (status: number) => void
  readonly #steps: Step[] = []
  #running: Promise<void> | undefined

  constructor(options: {
    readonly log: Log
    readonly clock?: Clock
    readonly exit?: (status: number) => void
  }) {
    this.#log = options.log
    this.#clock = options.clock ?? systemClock
    this.#exit = options.exit ?? ((status) => process.exit(status))
  }

  /** Whether `run` was called. */
  get started(): boolean {
    return this.#running !== undefined
  }

  /** Adds a step; steps run in the reverse order of their adding. */
  add(name: string, stop: () => Promise<void>): void {
    this.#steps.push({ name, stop })
  }

  /**
   * Runs all steps, each after the one before. A step that fails is logged and the rest goes on. At the
   * deadline the remaining steps are started together and SHUTDOWN_DEADLINE is thrown, naming what did not end.
   * A second call gives the same promise.
   */
  run(deadlineMs: number): Promise<void> {
    this.#running ??= this.#runAll(deadlineMs)
    return this.#running
  }

  /**
   * SIGTERM or SIGINT runs the steps and exits, 0 if all ended in time and 1 if not; a second one, unless it comes with
   * the first, exits at once.
   */
  onSignals(options: { readonly deadlineMs: number }): void {
    let firstMs = 0
    const onSignal = (signal: NodeJS.Signals): void => {
      const nowMs = this.#clock.monotonicMs()
      if (this.started) {
        if (nowMs - firstMs < SAME_SIGNAL_MS) return
        this.#log.warn({ signal }, 'second signal: exiting at once')
        this.#exit(1)
        return
      }
      this.#log.info({ signal }, 'shutting down')
      firstMs = nowMs
      this.run(options.deadlineMs).then(
        () => this.#exit(0),
        (error: unknown) => {
          this.#log.error({ error }, 'shutdown was cut short')
          this.#exit(1)
        },
      )
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  }

  async #runAll(deadlineMs: number): Promise<void> {
    const remaining = this.#steps.toReversed()
    const unfinished = new Set(remaining)
    const deadline = this.#deadline(deadlineMs)
    while (remaining.length > 0 && !deadline.passed()) {
      const step = remaining.shift() as Step
      await Promise.race([this.#runStep(step, unfinished), deadline.promise])
    }
    if (unfinished.size === 0) {
      deadline.cancel()
      return
    }
    const names = [...unfinished].map((step) => step.name)
    const last = Promise.all(remaining.map((step) => this.#runStep(step, unfinished)))
    await Promise.race([last, this.#deadline(LAST_STEPS_MS).promise])
    throw new WeftError('SHUTDOWN_DEADLINE', `not ended after ${deadlineMs} ms`, { detail: names })
  }

  async #runStep(step: Step, unfinished: Set<Step>): Promise<void> {
    try {
      await step.stop()
    } catch (error) {
      this.#log.error({ error, step: step.name }, 'a step of the shutdown failed')
    }
    unfinished.delete(step)
  }

  #deadline(delayMs: number): { promise: Promise<void>; passed: () => boolean; cancel: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>()
    let passed = false
    const timer = this.#clock.after(delayMs, () => {
      passed = true
      resolve()
    })
    return { promise, passed: () => passed, cancel: () => timer.cancel() }
  }
}
