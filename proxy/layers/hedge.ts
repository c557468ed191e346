/**
 * Sends a second request when the first one takes unusually long, and gives the client whichever good reply comes
 * first. Only for what may arrive twice, and paid for like a retry. Absent from a route without hedging.
 */
import type { Clock, Timer } from '../../core/clock.ts'
import { type Exchange, handle, type Handler, type Receiver, type Reply } from '../exchange.ts'
import type { Layer } from '../layer.ts'
import type { DestinationRetries } from '../retry/destination-retries.ts'
import { isIdempotent } from '../retry/safe-replay.ts'
import type { HedgePolicy } from '../route/route-policy.ts'

export type HedgeParts = {
  readonly policy: HedgePolicy
  readonly retries: DestinationRetries
  /** Worth giving to the client as long as another one may still come. */
  readonly isGood: (reply: Reply) => boolean
  readonly clock: Clock
}

type Outcome = { readonly by: Exchange } & ({ readonly reply: Reply } | { readonly error: unknown })
/** A bad outcome that is kept while the other attempt is under way, with what would cut it off. */
type Kept = { readonly outcome: Outcome; readonly cancel: Exchange['cancel'] }

const beaten = (): Error => new Error('another reply came first')

class Hedging implements Receiver {
  readonly #x: Exchange
  readonly #receiver: Receiver
  readonly #next: Handler
  readonly #parts: HedgeParts
  readonly #startedMs: number
  #timer: Timer | undefined
  #twin: Exchange | undefined
  #twinStartedMs = 0
  #kept: Kept | undefined
  #over = false

  constructor(x: Exchange, receiver: Receiver, next: Handler, parts: HedgeParts) {
    this.#x = x
    this.#receiver = receiver
    this.#next = next
    this.#parts = parts
    this.#startedMs = x.nowMs
  }

  /** Without a delay it only measures. */
  start(delayMs: number | undefined): void {
    if (delayMs !== undefined) this.#timer = this.#parts.clock.after(delayMs, this.#sendTwin)
    handle(this.#next, this.#x, this)
  }

  onReply(by: Exchange, reply: Reply): void {
    if (this.#over) reply.body.fail(beaten())
    else this.#take({ by, reply }, this.#parts.isGood(reply))
  }

  onFailure(by: Exchange, error: unknown): void {
    if (!this.#over) this.#take({ by, error }, false)
  }

  readonly #sendTwin = (): void => {
    const { retries, clock } = this.#parts
    const x = this.#x
    if (x.cluster?.breaker?.admitsRetry() === false || !retries.withdraw(x)) return
    retries.counts.hedges++
    const twin = x.fork()
    x.attempts++
    twin.retryReason = x.retryReason = 'hedge'
    twin.nowMs = this.#twinStartedMs = clock.monotonicMs()
    // Elsewhere, if there is an elsewhere.
    twin.tried = x.endpoint === undefined ? undefined : [x.endpoint]
    this.#twin = twin
    handle(this.#next, twin, this)
  }

  #take(outcome: Outcome, good: boolean): void {
    const { by } = outcome
    const x = this.#x
    const twin = this.#twin
    if (good) this.#observe(by)
    const wanted = !x.aborted && !x.timedOut
    if (!good && wanted && twin !== undefined && this.#kept === undefined) {
      this.#kept = { outcome, cancel: by.cancel }
      if (by === x) x.cancel = (reason) => twin.cancel?.(reason)
      return
    }
    this.#over = true
    this.#timer?.cancel()
    if (good && by !== x) this.#parts.retries.counts.successes++
    // A reply of the application says more than that there was none.
    const kept = this.#kept
    if ('error' in outcome && kept !== undefined && 'reply' in kept.outcome) this.#deliverKept(kept)
    else this.#deliver(outcome)
  }

  #deliver(outcome: Outcome): void {
    const x = this.#x
    const { by } = outcome
    if (this.#twin !== undefined) this.#endOther(by === x ? this.#twin : x)
    if (by !== x) x.adopt(by)
    if ('reply' in outcome) this.#receiver.onReply(x, outcome.reply)
    else this.#receiver.onFailure(x, outcome.error)
  }

  #deliverKept({ outcome, cancel }: Kept): void {
    const x = this.#x
    if (outcome.by === x) x.cancel = cancel
    else x.adopt(outcome.by)
    if ('reply' in outcome) this.#receiver.onReply(x, outcome.reply)
  }

  /** Cancels the attempt still under way, or drops what it brought. */
  #endOther(loser: Exchange): void {
    const kept = this.#kept
    if (kept === undefined) {
      // Cut off, it would have taken at least this long.
      this.#observe(loser)
      loser.cancel?.(beaten())
    } else if ('reply' in kept.outcome && !kept.outcome.reply.body.complete) {
      kept.cancel?.(beaten())
    }
  }

  #observe(by: Exchange): void {
    const now = this.#parts.clock.monotonicMs()
    this.#parts.retries.latencies.observe(now - (by === this.#x ? this.#startedMs : this.#twinStartedMs))
  }
}

export function hedge(parts: HedgeParts): Layer {
  const { policy, retries, clock } = parts
  return (next) =>
    function hedgeIfSlow(x, receiver) {
      const safe = isIdempotent(x.method) && x.body.inline !== undefined && x.upgrade === undefined
      if (!safe || x.expectsContinue) {
        next(x, receiver)
        return
      }
      x.nowMs = clock.monotonicMs()
      const delayMs =
        policy.kind === 'delay' ? policy.delayMs : retries.latencies.percentileMs(policy.percentile)
      new Hedging(x, receiver, next, parts).start(delayMs)
    }
}
