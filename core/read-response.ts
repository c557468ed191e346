/** The whole text of an HTTP response. */
import type { IncomingMessage } from 'node:http'

/** As UTF-8. Rejects when it breaks off, or is larger than `largestBytes`. */
export async function readResponse(response: IncomingMessage, largestBytes: number): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > largestBytes) throw new Error(`the reply is larger than ${largestBytes} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}
