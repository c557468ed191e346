/** Decides from samples of one resource how far its overload has got; pure, and slow to change its mind. */

/** 0: well; 1: connections are not kept alive; 2: new requests are refused. */
export type Step = 0 | 1 | 2

export type Thresholds = {
  /** A step is entered at its first value and left below its second. */
  readonly close: { readonly enter: number; readonly leave: number }
  readonly shed: { readonly enter: number; readonly leave: number }
}

/** How long a resource has to stay below where a step is left, before it is; then the next one down begins to count. */
const calmForMs = 2_000

function stepAt(value: number, thresholds: Thresholds, side: 'enter' | 'leave'): Step {
  if (value >= thresholds.shed[side]) return 2
  return value >= thresholds.close[side] ? 1 : 0
}

function lower(a: Step, b: Step): Step {
  return a < b ? a : b
}

export class PressureSteps {
  readonly #thresholds: Thresholds
  #previous: Step = 0
  #calmSinceMs: number | undefined
  step: Step = 0

  constructor(thresholds: Thresholds) {
    this.#thresholds = thresholds
  }

  /** Takes one sample. A step is entered when two samples in a row ask for it: one long stall is no overload. */
  observe(value: number, nowMs: number): Step {
    const asked = stepAt(value, this.#thresholds, 'enter')
    const confirmed = lower(asked, this.#previous)
    this.#previous = asked
    if (confirmed > this.step) {
      this.step = confirmed
      this.#calmSinceMs = undefined
    } else if (stepAt(value, this.#thresholds, 'leave') >= this.step) {
      this.#calmSinceMs = undefined
    } else {
      this.#settle(nowMs)
    }
    return this.step
  }

  #settle(nowMs: number): void {
    this.#calmSinceMs ??= nowMs
    if (nowMs - this.#calmSinceMs < calmForMs) return
    this.step = this.step === 2 ? 1 : 0
    this.#calmSinceMs = nowMs
  }
}
