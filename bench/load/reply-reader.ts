/** Finds where replies end, and nothing else: replies here have a Content-Length, and most come in one piece. Pure. */
const headEnd = Buffer.from('\r\n\r\n')
const closeField = /\r\nconnection: *close/i
const lengthField = /\r\ncontent-length: *([0-9]+)/i

export class ReplyReader {
  #head: Buffer | undefined
  #missingBytes = 0
  #status = 0
  #last = false

  /** Whether the server said with the reply that it closes the connection. */
  get last(): boolean {
    return this.#last
  }

  /** Status of the reply that `piece` completes, 0 while it is not complete. Throws when it is no such reply. */
  read(piece: Buffer): number {
    if (this.#missingBytes > 0) return this.#body(piece.length)
    const bytes = this.#head === undefined ? piece : Buffer.concat([this.#head, piece])
    const end = bytes.indexOf(headEnd)
    if (end === -1) {
      this.#head = Buffer.from(bytes)
      return 0
    }
    this.#head = undefined
    const head = bytes.latin1Slice(0, end)
    const length = lengthField.exec(head)
    if (length === null) throw new Error(`a reply without a Content-Length: ${head}`)
    this.#last = closeField.test(head)
    this.#status = Number(head.slice(9, 12))
    this.#missingBytes = Number(length[1])
    return this.#body(bytes.length - end - headEnd.length)
  }

  #body(bytes: number): number {
    if (bytes > this.#missingBytes) throw new Error('bytes after the end of the reply')
    this.#missingBytes -= bytes
    return this.#missingBytes === 0 ? this.#status : 0
  }
}
