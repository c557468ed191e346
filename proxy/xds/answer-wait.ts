/** How long a request waits for what the control plane says of a name. */
import type { Clock, Timer } from '../../core/clock.ts'

/** With the control plane still away, an unknown name is given up after this. */
const awayTimeoutMs = 1_000
/** A control plane that is there gets longer, all in all. */
const answerTimeoutMs = 5_000

export type Answer = 'known' | 'unknown' | 'unavailable'

/** Resolves with what `onAnswer` is told first, or with 'unavailable' when that takes too long. */
export function untilAnswered(
  clock: Clock,
  connected: () => boolean,
  onAnswer: (listener: (answer: Answer) => void) => void,
): Promise<Answer> {
  return new Promise((resolve) => {
    // On a machine that is short of time the answer may have come with the timer: what came is read first.
    const giveUp = (): void => {
      timer = clock.after(0, () => resolve('unavailable'))
    }
    let timer: Timer = clock.after(awayTimeoutMs, () => {
      // Whoever connected meanwhile has been asked only then.
      if (connected()) timer = clock.after(answerTimeoutMs - awayTimeoutMs, giveUp)
      else giveUp()
    })
    onAnswer((answer) => {
      timer.cancel()
      resolve(answer)
    })
  })
}
