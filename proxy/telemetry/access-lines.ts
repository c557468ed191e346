/**
 * Lines of the access log on their way out, beside those of the log. Gathered for a moment: writing each by itself would
 * cost more than making it. What nobody reads is lost in the end, and counted.
 */
import type { Clock, Timer } from '../../core/clock.ts'

export type LineDestination = { write(text: string): unknown; on?: unknown }

const gatherMs = 20
const gatherCharacters = 32 * 1024

export class AccessLines {
  readonly #destination: LineDestination
  readonly #clock: Pick<Clock, 'after'>
  #text = ''
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
    this.#text += `${line}\n`
    this.#lines++
    if (this.#text.length >= gatherCharacters) this.flush()
    else this.#timer ??= this.#clock.after(gatherMs, () => this.flush())
  }

  flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#lines === 0) return
    this.#dropped = false
    this.#destination.write(this.#text)
    if (this.#dropped) this.lost += this.#lines
    else this.written += this.#lines
    this.#text = ''
    this.#lines = 0
  }
}

function hasEvents(
  destination: LineDestination,
): destination is LineDestination & { on(event: 'drop', run: () => void): unknown } {
  return typeof destination.on === 'function'
}
