/** Header blocks as nghttp2 reads them: a node:http2 server session behind a pipe in memory. */
import { Buffer } from 'node:buffer'
import http2 from 'node:http2'
import { duplexPair } from 'node:stream'
import { blockBytes, clientOpening, flag, frameBytes, FrameSplitter, frameType } from './http2-frames.ts'

/** What became of one block. */
export type BlockOutcome =
  /** A request, its fields as they were: [name, value, name, value ...]. */
  | { readonly kind: 'request'; readonly fields: readonly string[] }
  | { readonly kind: 'reset'; readonly code: number }
  | { readonly kind: 'connection'; readonly code: number }
  | { readonly kind: 'nothing' }

export const nodeMaxFields = 128

/** Its answer says that everything before it was read. */
const ping = frameBytes({ type: frameType.ping, flags: 0, stream: 0, payload: Buffer.alloc(8) })

/**
 * Sends the blocks on one connection, one after the other, each as the request of its own stream; gives what became of
 * each up to the one that ends the connection.
 */
export async function readByNode(blocks: readonly Buffer[]): Promise<readonly BlockOutcome[]> {
  const [near, far] = duplexPair()
  const outcomes: BlockOutcome[] = []
  const current: { outcome: BlockOutcome } = { outcome: { kind: 'nothing' } }
  const session = http2.performServerHandshake(far, {
    maxHeaderListPairs: nodeMaxFields,
    maxSessionInvalidFrames: 1_000_000,
  })
  session.on('error', () => undefined)
  session.on('stream', (stream, _headers, _flags, rawHeaders) => {
    stream.on('error', () => undefined)
    current.outcome = { kind: 'request', fields: rawHeaders }
    if (!stream.destroyed) stream.respond({ ':status': 204 }, { endStream: true })
  })
  const begin = (): void => {
    current.outcome = { kind: 'nothing' }
  }
  const splitter = new FrameSplitter()
  let onRead = (): void => undefined
  near.on('data', (bytes: Buffer) => {
    for (const { type, flags, payload } of splitter.take(bytes)) {
      const code = type === frameType.reset ? payload.readUInt32BE(0) : 0
      if (type === frameType.reset && current.outcome.kind === 'nothing')
        current.outcome = { kind: 'reset', code }
      if (type === frameType.goaway) current.outcome = { kind: 'connection', code: payload.readUInt32BE(4) }
      if (type === frameType.goaway || (type === frameType.ping && (flags & flag.ack) !== 0)) onRead()
    }
  })
  near.on('close', () => onRead())
  near.on('error', () => undefined)
  near.write(clientOpening)
  for (const [i, block] of blocks.entries()) {
    begin()
    await new Promise<void>((resolve) => {
      onRead = resolve
      near.write(Buffer.concat([blockBytes(2 * i + 1, flag.endStream, block), ping]))
    })
    outcomes.push(current.outcome)
    if (current.outcome.kind === 'connection') break
  }
  session.destroy()
  near.destroy()
  return outcomes
}
