/** Watches the event loop and the memory of this process, and turns what it sees into the state of an Admission. */
import type { Clock, Timer } from '../../core/clock.ts'
import type { Admission } from './admission.ts'
import { PressureSteps, type Step } from './pressure-steps.ts'

export type OverloadChange = {
  readonly resource: 'event loop' | 'memory'
  readonly step: Step
  readonly lagMs: number
  readonly memoryShare: number
}

export type OverloadMonitorOptions = {
  readonly clock: Clock
  readonly admission: Admission
  /** How late the event loop has to be for requests to be refused; 0: never. */
  readonly shedLagMs: number
  /** Of the CPU that it may have, what share the event loop took since this was asked last. */
  readonly cpuShare: () => number
  /** Infinity: not known, memory is not watched. */
  readonly memoryLimitBytes: number
  readonly memoryBytes: () => number
  /** Gives back what is garbage: memory that is only not collected yet must not keep a sidecar closed. */
  readonly reclaim: () => void
  readonly onChange: (change: OverloadChange) => void
}

const sampleEveryMs = 250
/** Collecting everything stops the process for some tenths of a second. */
const reclaimEveryMs = 10_000

/** Envoy's figures; left a little below, so that a sidecar at the edge does not flap. */
const memoryThresholds = { close: { enter: 0.92, leave: 0.89 }, shed: { enter: 0.95, leave: 0.92 } }

function lagThresholds(shedLagMs: number): ConstructorParameters<typeof PressureSteps>[0] {
  const shed = shedLagMs === 0 ? Number.POSITIVE_INFINITY : shedLagMs
  return {
    close: { enter: shed / 2, leave: shed / 4 },
    shed: { enter: shed, leave: shed / 2 },
  }
}

/**
 * How late the loop made itself: what it worked longer than until its next sample. The rest it was kept from running, by a
 * machine that is short of CPU: refusing requests would give it none.
 */
function ownLagMs(lagMs: number, cpuShare: number): number {
  return Math.max(0, Math.min(lagMs, cpuShare * (sampleEveryMs + lagMs) - sampleEveryMs))
}

export class OverloadMonitor {
  readonly #options: OverloadMonitorOptions
  readonly #lagSteps: PressureSteps
  readonly #memorySteps = new PressureSteps(memoryThresholds)
  #timer: Timer | undefined
  #reclaimedMs = Number.NEGATIVE_INFINITY
  /** Of the last sample; read at scrape. */
  lagMs = 0
  memoryShare = 0

  constructor(options: OverloadMonitorOptions) {
    this.#options = options
    this.#lagSteps = new PressureSteps(lagThresholds(options.shedLagMs))
  }

  get lagStep(): Step {
    return this.#lagSteps.step
  }

  get memoryStep(): Step {
    return this.#memorySteps.step
  }

  start(): void {
    const { clock } = this.#options
    const dueMs = clock.monotonicMs() + sampleEveryMs
    this.#timer = clock.after(sampleEveryMs, () => {
      this.#sample(clock.monotonicMs(), dueMs)
      this.start()
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #sample(nowMs: number, dueMs: number): void {
    const { cpuShare, memoryBytes, memoryLimitBytes } = this.#options
    const { lagStep, memoryStep } = this
    this.lagMs = Math.max(0, nowMs - dueMs)
    this.#lagSteps.observe(ownLagMs(this.lagMs, cpuShare()), nowMs)
    if (memoryLimitBytes !== Number.POSITIVE_INFINITY) {
      this.memoryShare = memoryBytes() / memoryLimitBytes
      this.#memorySteps.observe(this.memoryShare, nowMs)
      if (this.memoryStep > 0) this.#reclaim(nowMs)
    }
    if (this.lagStep !== lagStep) this.#changed('event loop', this.lagStep)
    if (this.memoryStep !== memoryStep) this.#changed('memory', this.memoryStep)
  }

  #changed(resource: OverloadChange['resource'], step: Step): void {
    const { lagStep, memoryStep, lagMs, memoryShare } = this
    this.#options.admission.set({
      shedding: lagStep === 2 || memoryStep === 2,
      closing: memoryStep > 0 ? 'all' : lagStep > 0 ? 'plain' : 'none',
    })
    this.#options.onChange({ resource, step, lagMs, memoryShare })
  }

  #reclaim(nowMs: number): void {
    if (nowMs - this.#reclaimedMs < reclaimEveryMs) return
    this.#reclaimedMs = nowMs
    this.#options.reclaim()
  }
}
