/** A message body between two codecs: pieces pass with backpressure in both directions, outside the layers. */
import { Buffer } from 'node:buffer'
import { HeaderList } from './header-list.ts'
import { giveBack, lendCopy } from './slabs.ts'

/** A body's length: 0 and above are bytes, the negatives say how the end is found. */
export type BodyLength = number
/** The end is marked in the stream (chunked coding, END_STREAM). */
export const chunked = -1
/** The connection's end is the body's end (HTTP/1.0). */
export const untilClose = -2

/** Where a body's pieces go; they stay as they are only during the call. `write` returns false to ask for a pause; the sink calls `body.resume()` when it may go on. */
export interface BodySink {
  write(piece: Buffer): boolean
  end(trailers: HeaderList): void
  /** The body will never be complete: what was sent must not look complete either. */
  abort(error: Error): void
}

/** Sees a body pass, beside its sink; it cannot slow it down. A piece stays as it is only during the call. */
export interface BodyTap {
  onPiece(piece: Buffer): void
  /** `whole`: all of it was there. Called once. */
  onEnd(whole: boolean): void
}

/** Who produces a body: the codec of the connection that it arrives on. */
export interface BodySource {
  pauseBody(): void
  resumeBody(): void
  /** A pause is of this body alone, and lasts beyond its end, until what came before that has moved on. */
  readonly pausesBeyondEnd?: boolean
}

/** What is held for a sink that is not there yet or for a replay; beyond it the source pauses, or the replay is off. */
const maxHeldBytes = 64 * 1024
const maxHeldPieces = 64
const noTrailers = new HeaderList()

export class Body {
  /** Bytes, or `chunked` / `untilClose` when only the end will tell. */
  readonly length: BodyLength
  /** The whole content as latin1, when it was there at once; then no sink is ever needed. */
  inline: string | undefined
  /** Content bytes that have arrived. */
  receivedBytes = 0
  /** The end has arrived. */
  complete = false
  trailers: HeaderList = noTrailers
  readonly #source: BodySource | undefined
  #sink: BodySink | undefined
  #tap: BodyTap | undefined
  #held: Buffer[] = []
  #heldBytes = 0
  #replay = false
  #paused = false
  #error: Error | undefined
  /** A list, and no closure around the one before: such closures kept exchanges that are over alive into old space. */
  #onComplete: (() => void)[] | undefined

  constructor(length: BodyLength, source: BodySource | undefined) {
    this.length = length
    this.#source = source
  }

  static readonly empty: Body = Body.of('')

  /** A body that is all there, given as latin1. */
  static of(content: string): Body {
    const body = new Body(content.length, undefined)
    body.inline = content
    body.receivedBytes = content.length
    body.complete = true
    return body
  }

  get isEmpty(): boolean {
    return this.length === 0
  }

  get failed(): Error | undefined {
    return this.#error
  }

  /** Everything since the first byte can be sent again: it is all here, or was kept. */
  get replayable(): boolean {
    return this.inline !== undefined || (this.#replay && this.#error === undefined)
  }

  /** Keeps what passes, up to 64 KiB, so that `start` can be called once more. Call it before the first `start`. */
  keepForReplay(): void {
    this.#replay = this.length <= maxHeldBytes
  }

  /** Tells the end (also one that has been), for accounting; everybody who asked is told. */
  onComplete(run: () => void): void {
    if (this.complete || this.#error !== undefined) run()
    else if (this.#onComplete === undefined) this.#onComplete = [run]
    else this.#onComplete.push(run)
  }

  /** Sends what is held and all that follows to `sink`, from the first byte on. */
  start(sink: BodySink): void {
    const held = this.#held
    if (!this.#replay) {
      this.#held = []
      this.#heldBytes = 0
    }
    this.#sink = sink
    if (this.inline !== undefined && this.inline !== '') sink.write(Buffer.from(this.inline, 'latin1'))
    let room = true
    for (const piece of held) room = sink.write(piece) && room
    if (!this.#replay) for (const piece of held) giveBack(piece)
    if (this.complete) {
      if (room) this.resume()
      sink.end(this.trailers)
    } else if (this.#error !== undefined) sink.abort(this.#error)
    else if (!room) this.#pause()
    else if (this.#paused) this.resume()
  }

  /** Shows `tap` what has come and all that follows. Call it before the first `start`, and not for an inline body. */
  tap(tap: BodyTap): void {
    this.#tap = tap
    for (const piece of this.#held) tap.onPiece(piece)
    if (this.complete) tap.onEnd(true)
    else if (this.#error !== undefined) tap.onEnd(false)
  }

  /** Detaches the sink: a retry follows, or nobody reads on. */
  stop(): void {
    this.#sink = undefined
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#source?.resumeBody()
  }

  /** For the source: `piece` may be a view on a buffer that is read into again; who keeps it makes a copy. */
  push(piece: Buffer): void {
    this.receivedBytes += piece.length
    this.#tap?.onPiece(piece)
    if (this.#sink === undefined || this.#replay) this.#hold(piece)
    if (this.#sink !== undefined && !this.#sink.write(piece)) this.#pause()
  }

  /** For the source: that was all. */
  finish(trailers: HeaderList = noTrailers): void {
    if (this.complete || this.#error !== undefined) return
    this.complete = true
    this.trailers = trailers
    // A pause that the last piece asked for would stay on the connection, and its next message would never be read.
    if (this.#source?.pausesBeyondEnd !== true) this.resume()
    this.#sink?.end(trailers)
    this.#tap?.onEnd(true)
    this.#tellAll()
  }

  /** For the source: no more will come. */
  fail(error: Error): void {
    if (this.complete || this.#error !== undefined) return
    this.#error = error
    this.#held = []
    this.#sink?.abort(error)
    this.#tap?.onEnd(false)
    this.#tellAll()
  }

  #tellAll(): void {
    if (this.#onComplete !== undefined) for (const run of this.#onComplete) run()
  }

  #hold(piece: Buffer): void {
    this.#held.push(lendCopy(piece))
    // A byte in a piece of its own would cost a hundred times what is counted here.
    if (this.#held.length === maxHeldPieces) this.#held = [Buffer.concat(this.#held)]
    this.#heldBytes += piece.length
    if (this.#heldBytes <= maxHeldBytes) return
    if (this.#sink !== undefined) {
      // Too much to keep for a replay: from here on it only passes.
      this.#replay = false
      this.#held = []
      this.#heldBytes = 0
    } else {
      this.#pause()
    }
  }

  #pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#source?.pauseBody()
  }
}
