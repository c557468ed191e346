/**
 * What a peer may do that costs us more than it: each kind has a bucket of tokens that refills. Clients cancel a lot
 * where deadlines are short, so that those who have proven who they are get ten times as much; so do upstreams, whom we
 * have chosen, and whose connection carries the requests of many.
 */
import { ConnectionFault } from './faults.ts'
import { errorCode } from './frame-types.ts'

class Bucket {
  readonly #name: string
  readonly #most: number
  readonly #perMs: number
  readonly #nowMs: () => number
  #tokens: number
  #filledMs: number

  constructor(name: string, most: number, perSecond: number, nowMs: () => number) {
    this.#name = name
    this.#most = this.#tokens = most
    this.#perMs = perSecond / 1000
    this.#nowMs = nowMs
    this.#filledMs = nowMs()
  }

  /** Throws a ConnectionFault when there is nothing left. */
  take(count = 1): void {
    if (this.#tokens < count) {
      const now = this.#nowMs()
      this.#tokens = Math.min(this.#most, this.#tokens + (now - this.#filledMs) * this.#perMs)
      this.#filledMs = now
      if (this.#tokens < count) throw new ConnectionFault(errorCode.enhanceYourCalm, `too many ${this.#name}`)
    }
    this.#tokens -= count
  }

  /** What will cost `count` is no fault of the peer. */
  give(count: number): void {
    this.#tokens = Math.min(this.#most, this.#tokens + count)
  }
}

export class Budgets {
  /** Streams reset before they were answered, by the peer or by its fault, and streams refused. */
  readonly resets: Bucket
  /** PING and SETTINGS: each wants an answer. */
  readonly control: Bucket
  /** Frames that do nothing: PRIORITY, unknown ones, empty ones, crumbs of window. */
  readonly noise: Bucket

  constructor(trusted: boolean, nowMs: () => number) {
    const factor = trusted ? 10 : 1
    this.resets = new Bucket('streams reset', 200 * factor, 33 * factor, nowMs)
    this.control = new Bucket('PING and SETTINGS frames', 100 * factor, 10 * factor, nowMs)
    this.noise = new Bucket('frames that do nothing', 1000 * factor, 100 * factor, nowMs)
  }
}
