/** How an endpoint of a scenario answers, now and later. Pure. */

export type Behaviour = {
  /** Of its latency, in milliseconds: the middle, and one standard deviation. */
  readonly medianMs: number
  readonly deviationMs: number
  /** From and to which second of the run it is like this instead. */
  readonly trouble:
    | {
        readonly fromSecond: number
        readonly toSecond: number
        readonly kind: 'stuck' | 'failing'
        /** How long it takes while it is stuck. */
        readonly stuckMs: number
      }
    | undefined
}

export type Answer = { readonly delayMs: number; readonly status: number }

/** A normally distributed number with mean 0 and deviation 1 (Box and Muller). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** What a request gets that arrives in that second of the run. */
export function answerAt(
  { medianMs, deviationMs, trouble }: Behaviour,
  second: number,
  random: () => number,
): Answer {
  const delayMs = Math.max(0, medianMs + deviationMs * normal(random))
  if (trouble === undefined || second < trouble.fromSecond || second >= trouble.toSecond)
    return { delayMs, status: 200 }
  return trouble.kind === 'stuck' ? { delayMs: trouble.stuckMs, status: 200 } : { delayMs, status: 500 }
}
