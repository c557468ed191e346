/** Joins a header block that comes in several frames (RFC 9113 4.3). */
import { Buffer } from 'node:buffer'
import { ConnectionFault } from './faults.ts'
import { errorCode } from './frame-types.ts'
import { maxBlockBytes, maxContinuations } from './limits.ts'

export class HeaderAssembly {
  /** The stream whose block is incomplete; 0: none. */
  id = 0
  endStream = false
  /** It names itself as what it depends on. */
  selfDependent = false
  sinceMs = 0
  #pieces: Buffer[] = []
  #bytes = 0

  begin(id: number, endStream: boolean, selfDependent: boolean, fragment: Buffer, nowMs: number): void {
    this.id = id
    this.endStream = endStream
    this.selfDependent = selfDependent
    this.sinceMs = nowMs
    this.#add(fragment)
  }

  /** One more fragment. Throws ConnectionFault. */
  add(id: number, fragment: Buffer): void {
    if (this.id === 0 || id !== this.id)
      throw new ConnectionFault(errorCode.protocolError, 'CONTINUATION of no header block')
    if (this.#pieces.length > maxContinuations)
      throw new ConnectionFault(errorCode.enhanceYourCalm, 'too many CONTINUATION frames')
    this.#add(fragment)
  }

  /** Gives the whole block away. */
  finish(): Buffer {
    const block = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#bytes = 0
    this.id = 0
    return block
  }

  #add(fragment: Buffer): void {
    this.#bytes += fragment.length
    if (this.#bytes > maxBlockBytes)
      throw new ConnectionFault(errorCode.enhanceYourCalm, 'a header block is too long')
    this.#pieces.push(Buffer.from(fragment))
  }
}
