/**
 * A header block that cannot be taken. `compression`: it is no HPACK, or breaks its rules, and the connection is lost
 * with it (COMPRESSION_ERROR), since nobody knows any more what the table holds. `list-too-large`: it was read to its
 * end, the table is in step, and only the message has to be refused.
 */
export class HpackError extends Error {
  readonly kind: 'compression' | 'list-too-large'

  constructor(kind: 'compression' | 'list-too-large', message: string) {
    super(message)
    this.name = 'HpackError'
    this.kind = kind
  }
}
