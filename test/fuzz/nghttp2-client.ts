/** Requests of a node:http2 client over a pipe in memory, read by our decoder, and answered by our encoder. */
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import http2 from 'node:http2'
import { type Duplex, duplexPair } from 'node:stream'
import { HpackDecoder } from '../../proxy/http2/hpack/decoder.ts'
import { type BlockBuffer, HpackEncoder } from '../../proxy/http2/hpack/encoder.ts'
import type { HeaderBlock } from '../../proxy/http2/hpack/header-block.ts'
import {
  blockBytes,
  clientPreface,
  flag,
  type Frame,
  FrameSplitter,
  frameType,
  settingsAck,
  settingsBytes,
} from './http2-frames.ts'

/** One request with its reply, and what each side says of its table before. */
export type Turn = {
  readonly path: string
  /** [name, value, name, value ...]. */
  readonly request: readonly string[]
  /** Names that the client wants never indexed. */
  readonly secrets: readonly string[]
  readonly reply: readonly string[]
  readonly ourTableBytes: number | undefined
  readonly nodeTableBytes: number | undefined
}

export type TurnRead = {
  readonly path: string | undefined
  readonly request: readonly string[]
  readonly neverIndexed: readonly string[]
  readonly reply: readonly string[]
}

const headerTableSize = 1
const maxConcurrentStreams = 3

/** Where our encoder writes. */
class GrowingBuffer implements BlockBuffer {
  bytes = Buffer.alloc(0)
  length = 0

  ensure(n: number): void {
    this.bytes = Buffer.concat([this.bytes.subarray(0, this.length), Buffer.alloc(n)])
  }
}

export function encodeBlock(
  encoder: HpackEncoder,
  pseudo: readonly string[],
  fields: readonly string[],
  neverIndexed?: readonly string[],
): Buffer {
  const output = new GrowingBuffer()
  encoder.encode(pseudo, fields, output, neverIndexed)
  return output.bytes.subarray(0, output.length)
}

/** The server's side, as far as header blocks need one. */
class BlockServer {
  readonly requests: HeaderBlock[] = []
  readonly #decoder = new HpackDecoder(4096, { maxListBytes: 1 << 20, maxFields: 1000 })
  readonly #encoder = new HpackEncoder()
  readonly #splitter = new FrameSplitter(clientPreface.length)
  readonly #wire: Duplex
  readonly #turns: readonly Turn[]
  /** What we said of our table, and the client has not yet acknowledged. */
  readonly #said: number[] = [4096]
  #block: Buffer[] = []

  constructor(wire: Duplex, turns: readonly Turn[]) {
    this.#wire = wire
    this.#turns = turns
    wire.on('error', () => undefined)
    wire.on('data', (bytes: Buffer) => {
      for (const frame of this.#splitter.take(bytes)) this.#take(frame)
    })
    wire.write(
      settingsBytes([
        [headerTableSize, 4096],
        [maxConcurrentStreams, 1000],
      ]),
    )
  }

  say(tableBytes: number): void {
    this.#said.push(tableBytes)
    this.#wire.write(settingsBytes([[headerTableSize, tableBytes]]))
  }

  #take({ type, flags, stream, payload }: Frame): void {
    if (type === frameType.settings && (flags & flag.ack) === 0) {
      for (let at = 0; at < payload.length; at += 6)
        if (payload.readUInt16BE(at) === headerTableSize)
          this.#encoder.setMaxTableBytes(payload.readUInt32BE(at + 2))
      this.#wire.write(settingsAck)
    } else if (type === frameType.settings) {
      this.#decoder.setMaxTableBytes(this.#said.shift() as number)
    } else if (type === frameType.headers || type === frameType.continuation) {
      this.#block.push(payload)
      if ((flags & flag.endHeaders) !== 0) this.#answer(stream)
    }
  }

  #answer(stream: number): void {
    const block = Buffer.concat(this.#block)
    this.#block = []
    this.requests.push(this.#decoder.decode(block, 0, block.length))
    const { reply } = this.#turns[(stream - 1) / 2] as Turn
    const bytes = encodeBlock(this.#encoder, [':status', '204'], reply)
    this.#wire.write(blockBytes(stream, flag.endStream, bytes))
  }
}

/** Goes through the turns on one connection; gives what each side read of the other. */
export async function talkWithNode(
  turns: readonly Turn[],
): Promise<readonly { readonly turn: Turn; readonly read: TurnRead }[]> {
  const [near, far] = duplexPair()
  const server = new BlockServer(far, turns)
  const session = http2.connect('http://a', { createConnection: () => near })
  const failed = new Promise<never>((_, reject) => session.on('error', reject))
  const replies: (readonly string[])[] = []
  for (const { path, request, secrets, ourTableBytes, nodeTableBytes } of turns) {
    if (ourTableBytes !== undefined) server.say(ourTableBytes)
    if (nodeTableBytes !== undefined) session.settings({ headerTableSize: nodeTableBytes })
    const headers: http2.OutgoingHttpHeaders = { ':path': path, [http2.sensitiveHeaders]: [...secrets] }
    for (let i = 0; i < request.length; i += 2) headers[request[i] as string] = request[i + 1] as string
    const stream = session.request(headers, { endStream: true })
    const [, , rawHeaders] = await Promise.race([once(stream, 'response'), failed])
    replies.push((rawHeaders as readonly string[]).slice(2))
    stream.close()
  }
  session.destroy()
  far.destroy()
  return turns.map((turn, i) => {
    const { path, fields, neverIndexed } = server.requests[i] as HeaderBlock
    return { turn, read: { path, request: fields, neverIndexed, reply: replies[i] as readonly string[] } }
  })
}
