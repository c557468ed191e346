/** A peer broke HTTP/1.1's rules; carries the status that a client gets, when the peer is one. */
export class WireError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'WireError'
    this.status = status
  }
}
