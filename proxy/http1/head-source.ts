/** The bytes that a head is parsed from, and the same bytes as text, from which values are cut. */
import type { Buffer } from 'node:buffer'

/**
 * Parsers read `bytes`, because a loop over a string's characters costs four times as much, and cut from `text`,
 * because a slice of a string copies nothing. `position` goes forward as lines are consumed.
 */
export class HeadSource {
  bytes: Buffer
  /** The first byte of the head; text[0] is the same one. */
  start = 0
  end = 0
  text = ''
  position = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  set(bytes: Buffer, start: number, end: number, text: string): void {
    this.bytes = bytes
    this.start = start
    this.end = end
    this.text = text
    this.position = start
  }

  /** bytes[from, to) as text. */
  slice(from: number, to: number): string {
    return this.text.slice(from - this.start, to - this.start)
  }
}
