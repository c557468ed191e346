/** The connections of a cluster's pools together; the pools count, whoever waits for one is told when one is free. */
export class ConnectionCount {
  /** Being opened ones too. */
  open = 0
  idle = 0
  /** Set while somebody waits. */
  onFree: (() => void) | undefined = undefined

  /** That serve a request, or are being opened for one. */
  get busy(): number {
    return this.open - this.idle
  }
}
