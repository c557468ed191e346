/** Counts the open client connections of the whole sidecar, and says when there are enough. */

export class ConnectionLimit {
  readonly max: number
  /** Accepted and not closed yet. */
  open = 0
  /** Closed at once because there were too many; read at scrape. */
  refused = 0

  constructor(max: number) {
    this.max = max
  }

  /** Takes a place; false: there is none, and that is counted. */
  take(): boolean {
    if (this.open >= this.max) {
      this.refused++
      return false
    }
    this.open++
    return true
  }

  readonly release = (): void => {
    this.open--
  }
}
