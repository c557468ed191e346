/**
 * What a peer may do that costs us more than it: each kind has a bucket of tokens that refills, with time and with the
 * streams that were opened, as who asks for much has more to call off, to rank and to measure. Clients cancel a lot where
 * deadlines are short, so that those who have proven who they are get ten times as much; so do upstreams, whom we have
 * chosen, and whose connection carries the requests of many.
 */
import { ConnectionFault } from './faults.ts'
import { errorCode } from './frame-types.ts'

type Refill = { readonly most: number; readonly perSecond: number; readonly perStream: number }

/** Time, and the streams that were ever opened. */
type Progress = { readonly nowMs: () => number; readonly streams: () => number }

class Bucket {
  readonly #name: string
  readonly #refill: Refill
  readonly #progress: Progress
  #tokens: number
  #filledMs: number
  #filledStreams = 0

  constructor(name: string, refill: Refill, progress: Progress) {
    this.#name = name
    this.#refill = refill
    this.#progress = progress
    this.#tokens = refill.most
    this.#filledMs = progress.nowMs()
  }

  /** Throws a ConnectionFault when there is nothing left. */
  take(count = 1): void {
    if (this.#tokens < count) {
      this.#fill()
      if (this.#tokens < count) throw new ConnectionFault(errorCode.enhanceYourCalm, `too many ${this.#name}`)
    }
    this.#tokens -= count
  }

  /** What will cost `count` is no fault of the peer. */
  give(count: number): void {
    this.#tokens = Math.min(this.#refill.most, this.#tokens + count)
  }

  #fill(): void {
    const { perSecond, perStream } = this.#refill
    const [now, streams] = [this.#progress.nowMs(), this.#progress.streams()]
    this.give(((now - this.#filledMs) * perSecond) / 1000 + (streams - this.#filledStreams) * perStream)
    this.#filledMs = now
    this.#filledStreams = streams
  }
}

export class Budgets {
  /** Streams reset before they were answered, by the peer or by its fault, and streams refused. */
  readonly resets: Bucket
  /** PING and SETTINGS: each wants an answer. */
  readonly control: Bucket
  /** Frames that do nothing: PRIORITY, unknown ones, empty ones, crumbs of window. */
  readonly noise: Bucket

  constructor(trusted: boolean, nowMs: () => number, streams: () => number) {
    const factor = trusted ? 10 : 1
    const bucket = (name: string, most: number, perSecond: number, perStream: number): Bucket =>
      new Bucket(name, { most: most * factor, perSecond: perSecond * factor, perStream }, { nowMs, streams })
    // Hedged calls are called off up to every fifth time, a flood of resets is hardly anything else.
    this.resets = bucket('streams reset', 200, 33, 1 / 4)
    // Clients in Go send a PING with each request that they call off.
    this.control = bucket('PING and SETTINGS frames', 100, 10, 1)
    // Browsers say with each request how urgent it is.
    this.noise = bucket('frames that do nothing', 1000, 100, 1)
  }
}
