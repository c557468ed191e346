/** What a server made of a client's frames. */
export type RequestSeen = {
  /** Method and path. */
  readonly start: string
  /** `name: value`, without those that say how long the content is, and for whom. */
  readonly fields: readonly string[]
  content: string
  trailers: readonly string[]
  /** 'broken': reset by either side, or gone with the connection. */
  end: 'open' | 'complete' | 'broken'
  /** The frame that it was complete with, by its place. */
  completeAt: number
}

export function requestSeen(start: string, fields: readonly string[]): RequestSeen {
  return { start, fields, content: '', trailers: [], end: 'open', completeAt: -1 }
}

export type FramesResult = {
  /** The frame after which the connection was over, by its place; -1: it went on. */
  readonly refusedAt: number
  /** The code of GOAWAY; -1: none came. */
  readonly code: number
  /** In words, where we know. */
  readonly reason: string
  /** In the order in which they came. */
  readonly requests: readonly RequestSeen[]
  /** The streams that the server has reset, each with the frame after which it did so, by its place. */
  readonly resets: ReadonlyMap<number, number>
}

const ownFields = new Set(['host', 'content-length', 'transfer-encoding', 'te'])

/** Of [name, value, name, value ...]. */
export function fieldLines(flat: readonly string[]): readonly string[] {
  const lines: string[] = []
  for (let i = 0; i < flat.length; i += 2) {
    const name = (flat[i] as string).toLowerCase()
    if (!ownFields.has(name) && !name.startsWith(':')) lines.push(`${name}: ${flat[i + 1]}`)
  }
  return lines
}
