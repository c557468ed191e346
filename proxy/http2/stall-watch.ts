/** Finds streams on which the client keeps us waiting: it neither sends nor takes what is under way. */
import { errorCode } from './frame-types.ts'
import type { Session } from './session.ts'
import type { Http2Stream } from './stream.ts'

/** Of calls, whose client may be busy with what it has read. */
const patience = 12
/** Who opens the window of what waits by less than this takes nothing: a byte now and then would keep it for ever. */
const leastTakenBytes = 1024

type Seen = { movedBytes: number; sinceMs: number }

export class StallWatch {
  readonly #timeoutMs: number
  readonly #seen = new WeakMap<Http2Stream, Seen>()

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** Looked at now and then instead of at each frame: what moves pays nothing. */
  look(session: Session, nowMs: number): void {
    for (const stream of session.streams.all()) if (this.#stands(stream, nowMs)) giveUp(stream)
  }

  #stands(stream: Http2Stream, nowMs: number): boolean {
    if (!stream.waitsForPeer) {
      this.#seen.delete(stream)
      return false
    }
    const { movedBytes } = stream
    const seen = this.#seen.get(stream)
    const least = stream.stalled ? leastTakenBytes : 1
    if (seen === undefined || movedBytes - seen.movedBytes >= least) {
      this.#seen.set(stream, { movedBytes, sinceMs: nowMs })
      return false
    }
    return nowMs - seen.sinceMs >= this.#timeoutMs * (stream.isPatient ? patience : 1)
  }
}

function giveUp(stream: Http2Stream): void {
  stream.reset(errorCode.cancel)
  stream.onBroken(new Error('the client took too long'))
}
