/**
 * Lines of the access log on their way out, beside those of the log. Gathered for a moment: writing each by itself would
 * cost more than making it. As bytes: texts of many pieces would be walked by every garbage collection until they are
 * written. What nobody reads is lost in the end, and counted.
 */
import { Buffer } from 'node:buffer'
import type { Clock, Timer } from '../../core/clock.ts'

export type LineDestination = { write(text: string): unknown; on?: unknown }

const gatherMs = 20
const gatherBytes = 64 * 1024
/** UTF-8 needs no more for a unit of text. */
const mostBytesPerUnit = 3

export class AccessLines {
  readonly #destination: LineDestination
  readonly #clock: Pick<Clock, 'after'>
  readonly #bytes = Buffer.allocUnsafeSlow(gatherBytes)
  #length = 0
  #lines = 0
  #dropped = false
  #timer: Timer | undefined
  /** Lines handed on, and those that nobody took in time; read at scrape. */
  written = 0
  lost = 0

  constructor(destination: LineDestination, clock: Pick<Clock, 'after'>) {
    this.#destination = destination
    this.#clock = clock
    if (hasEvents(destination))
      destination.on('drop', () => {
        this.#dropped = true
      })
  }

  /** `line` is without its end. */
  write(line: string): void {
    const most = line.length * mostBytesPerUnit + 1
    if (this.#length + most > gatherBytes) this.flush()
    if (most > gatherBytes) {
      this.#hand(`${line}\n`, 1)
      return
    }
    this.#length += this.#bytes.utf8Write(line, this.#length)
    this.#bytes[this.#length++] = newline
    this.#lines++
    this.#timer ??= this.#clock.after(gatherMs, () => this.flush())
  }

  flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#lines === 0) return
    const text = this.#bytes.utf8Slice(0, this.#length)
    const lines = this.#lines
    this.#length = this.#lines = 0
    this.#hand(text, lines)
  }

  #hand(text: string, lines: number): void {
    this.#dropped = false
    this.#destination.write(text)
    if (this.#dropped) this.lost += lines
    else this.written += lines
  }
}

const newline = 0x0a

function hasEvents(
  destination: LineDestination,
): destination is LineDestination & { on(event: 'drop', run: () => void): unknown } {
  return typeof destination.on === 'function'
}
