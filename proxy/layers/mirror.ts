/**
 * Sends copies of requests elsewhere. Nobody waits for them: the request itself goes first, and what becomes of a copy
 * is only counted.
 */
import { Buffer } from 'node:buffer'
import type { Clock, Timer } from '../../core/clock.ts'
import { Body, type BodySink, type BodyTap, chunked } from '../body.ts'
import { Exchange, handle, type Handler, type Receiver, type Reply } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import type { Layer } from '../layer.ts'
import type { MirrorStats } from '../telemetry/mirror-stats.ts'

/** A copy needs the whole body; one that is larger is not copied. */
export const maxMirroredBytes = 64 * 1024
/** What waits for its answer, by cluster and route: a slow one must not fill the memory. */
export const maxMirrorsInFlight = 100
/** From the copy to the end of its answer. */
export const mirrorTimeoutMs = 15_000
/** Of an answer that nobody reads: beyond it, closing the connection is cheaper. */
const maxDiscardedBytes = 1024 * 1024

export type MirrorTarget = {
  /** Of the requests, 0 to 1. */
  readonly share: number
  /** Sends to one endpoint of the cluster. */
  readonly send: Handler
  readonly stats: MirrorStats
}

/** Reads an answer to its end, so that its connection can be used again. */
class Discard implements BodySink {
  readonly #onOver: () => void
  #bytes = 0

  constructor(onOver: () => void) {
    this.#onOver = onOver
  }

  write(piece: Buffer): boolean {
    this.#bytes += piece.length
    if (this.#bytes > maxDiscardedBytes) this.#onOver()
    return true
  }

  end(): void {
    this.#onOver()
  }

  abort(): void {
    this.#onOver()
  }
}

/** One copy, from its sending to the end of its answer. */
class Copy implements Receiver {
  readonly #exchange: Exchange
  readonly #stats: MirrorStats
  readonly #onOver: () => void
  readonly #timer: Timer
  #answered = false
  #over = false

  constructor(exchange: Exchange, stats: MirrorStats, clock: Clock, onOver: () => void) {
    this.#exchange = exchange
    this.#stats = stats
    this.#onOver = onOver
    this.#timer = clock.after(mirrorTimeoutMs, () => this.#end())
  }

  onReply(_x: Exchange, { body }: Reply): void {
    if (this.#over) return
    this.#answered = true
    if (body.inline === undefined) body.start(new Discard(() => this.#end()))
    else this.#end()
  }

  onFailure(): void {
    this.#end()
  }

  /** Cancels what still goes on. */
  #end(): void {
    if (this.#over) return
    this.#over = true
    this.#timer.cancel()
    if (this.#answered) this.#stats.answered++
    else this.#stats.failed++
    this.#onOver()
    const exchange = this.#exchange
    exchange.timedOut = true
    // Not from within the call that told of the end: a connection that is done goes back to its pool first.
    queueMicrotask(() => exchange.cancel?.(new Error('nobody waits for the copy any more')))
  }
}

/** What a copy is made of, taken before anything below changes it. */
type Original = Pick<
  Exchange,
  'downstream' | 'method' | 'target' | 'authority' | 'absoluteForm' | 'acceptsTrailers' | 'upgrade' | 'http2'
> & { readonly headers: HeaderList }

function originalOf(x: Exchange): Original {
  const { downstream, method, target, authority, absoluteForm } = x
  const headers = x.headers.copy()
  return {
    downstream,
    method,
    target,
    authority,
    absoluteForm,
    headers,
    acceptsTrailers: false,
    upgrade: undefined,
    http2: x.http2,
  }
}

/** Collects a body while it passes. */
class Tee implements BodyTap {
  readonly #send: (content: string) => void
  readonly #giveUp: (reason: 'tooLarge' | 'dropped') => void
  #pieces: Buffer[] = []
  #bytes = 0

  constructor(send: (content: string) => void, giveUp: (reason: 'tooLarge' | 'dropped') => void) {
    this.#send = send
    this.#giveUp = giveUp
  }

  onPiece(piece: Buffer): void {
    if (this.#bytes > maxMirroredBytes) return
    this.#bytes += piece.length
    if (this.#bytes <= maxMirroredBytes) this.#pieces.push(Buffer.from(piece))
    else this.#pieces = []
  }

  onEnd(whole: boolean): void {
    if (!whole) this.#giveUp('dropped')
    else if (this.#bytes > maxMirroredBytes) this.#giveUp('tooLarge')
    else this.#send(Buffer.concat(this.#pieces).latin1Slice())
    this.#pieces = []
  }
}

class Mirroring {
  readonly #targets: readonly MirrorTarget[]
  readonly #clock: Clock
  readonly #random: () => number
  readonly #inFlight: number[]

  constructor(targets: readonly MirrorTarget[], clock: Clock, random: () => number) {
    this.#targets = targets
    this.#clock = clock
    this.#random = random
    this.#inFlight = targets.map(() => 0)
  }

  /** The places of the targets that this request is for. */
  draw(): number[] {
    const drawn: number[] = []
    for (let i = 0; i < this.#targets.length; i++)
      if (this.#random() < (this.#targets[i] as MirrorTarget).share) drawn.push(i)
    return drawn
  }

  send(drawn: readonly number[], original: Original, content: string): void {
    for (const i of drawn) this.#sendOne(i, original, content)
  }

  count(drawn: readonly number[], reason: 'tooLarge' | 'dropped'): void {
    for (const i of drawn) (this.#targets[i] as MirrorTarget).stats[reason]++
  }

  #sendOne(i: number, original: Original, content: string): void {
    const { send, stats } = this.#targets[i] as MirrorTarget
    if ((this.#inFlight[i] as number) >= maxMirrorsInFlight) {
      stats.dropped++
      return
    }
    this.#inFlight[i] = (this.#inFlight[i] as number) + 1
    const body = content === '' ? Body.empty : Body.of(content)
    const headers = original.headers.copy()
    const exchange = new Exchange(
      original.downstream,
      { ...original, headers },
      body,
      this.#clock.monotonicMs(),
    )
    exchange.http2 = original.http2
    const onOver = (): void => {
      this.#inFlight[i] = (this.#inFlight[i] as number) - 1
    }
    handle(send, exchange, new Copy(exchange, stats, this.#clock, onOver))
  }
}

/** The length is known by now: the copy says it. */
function withLength(original: Original, length: number): Original {
  original.headers.remove('transfer-encoding')
  original.headers.set('content-length', String(length), 'Content-Length')
  return original
}

/** Inside of what rewrites a request, outside of what chooses its backend. */
export function mirror(
  targets: readonly MirrorTarget[],
  clock: Clock,
  random: () => number = Math.random,
): Layer {
  const mirroring = new Mirroring(targets, clock, random)
  return (next) =>
    function mirrorRequest(x, receiver) {
      const drawn = x.upgrade === undefined ? mirroring.draw() : []
      const { body } = x
      if (drawn.length === 0) {
        next(x, receiver)
      } else if (body.inline !== undefined) {
        const original = originalOf(x)
        handle(next, x, receiver)
        mirroring.send(drawn, original, body.inline)
      } else if (body.length > maxMirroredBytes) {
        mirroring.count(drawn, 'tooLarge')
        next(x, receiver)
      } else {
        const original = originalOf(x)
        const send = (content: string): void => {
          const whole = body.length === chunked ? withLength(original, content.length) : original
          mirroring.send(drawn, whole, content)
        }
        body.tap(new Tee(send, (reason) => mirroring.count(drawn, reason)))
        next(x, receiver)
      }
    }
}
