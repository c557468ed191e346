/** What came of handshakes of mesh TLS: 'ok', or a code of core/error-codes.ts, so that there are few outcomes. */
import { toWeftError } from '../../core/errors.ts'

type Direction = 'inbound' | 'outbound'

export class TlsStats {
  readonly #counts: Readonly<Record<Direction, Map<string, number>>> = {
    inbound: new Map([['ok', 0]]),
    outbound: new Map([['ok', 0]]),
  }

  outcomes(direction: Direction): ReadonlyMap<string, number> {
    return this.#counts[direction]
  }

  count(direction: Direction, outcome: string): void {
    const counts = this.#counts[direction]
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  }

  /** Counts a connection that we open, and gives it or its failure on. */
  async dialled<T>(connecting: Promise<T>): Promise<T> {
    try {
      const connected = await connecting
      this.count('outbound', 'ok')
      return connected
    } catch (error) {
      this.count('outbound', toWeftError(error).code)
      throw error
    }
  }
}
