/**
 * How a session writes and reads the heads and trailers in its HEADERS frames: as HPACK, which is HTTP/2, or between two
 * sidecars as HTTP/1 has them.
 */
import type { Buffer } from 'node:buffer'
import type { BodyLength } from '../body.ts'
import type { Exchange } from '../exchange.ts'
import type { HeaderList } from '../header-list.ts'
import type { FrameOutput } from './frame-output.ts'
import type { HeaderBlock } from './hpack/header-block.ts'
import type { TextBlock } from './text-form.ts'

/** A head or trailers as they came; read at once, by the form that made it. */
export type HeadBlock = HeaderBlock | TextBlock

/** One request's head: what an Exchange is made of, and what its stream has to keep to. */
export interface IncomingRequest {
  readonly method: string
  readonly target: string
  readonly authority: string
  readonly absoluteForm: boolean
  /** A list of its own for each request. */
  readonly headers: HeaderList
  readonly acceptsTrailers: boolean
  /** What HTTP/1 would have to be upgraded to. */
  readonly upgrade: string | undefined
  /** What the stream becomes when all goes well: CONNECT's, or a WebSocket. */
  readonly tunnel: 'connect' | 'websocket' | undefined
  /** Came over HTTP/2, and goes on so. */
  readonly http2: boolean
  readonly isGrpc: boolean
  /** 'unknown': an expectation other than 100-continue. */
  readonly expects: 'continue' | 'unknown' | undefined
  /** -1: not said. */
  readonly contentLength: number
  /** How HTTP/1 would have to frame this body; set for each request before its list is asked for. */
  framing: BodyLength
}

/** One reply's head. */
export interface IncomingReply {
  readonly status: number
  readonly reason: string
  /** -1: not said. */
  readonly contentLength: number
  /** Of a body whose length is not said. */
  readonly openLength: BodyLength
  /** A list of its own for each reply; `framing`: how HTTP/1 would have to frame its body. */
  headers(framing: BodyLength): HeaderList
}

/** What is wrong with a request; with a status, it is well formed and cannot be served. */
export type Malformed = { readonly reason: string; readonly status?: number }

export type OutgoingReply = {
  readonly status: number
  readonly reason: string
  readonly headers: HeaderList
  readonly bodyLength: BodyLength
}

export interface HeadForm {
  /** Whether a client may ask for a WebSocket on a stream of its own (RFC 8441). */
  readonly takesWebSockets: boolean
  /** buffer[from, to), one complete block; undefined: it is too large. Throws ConnectionFault. */
  decode(buffer: Buffer, from: number, to: number): HeadBlock | undefined
  request(block: HeadBlock): IncomingRequest | Malformed
  /** A text says what is wrong with it. */
  reply(block: HeadBlock, method: string): IncomingReply | string
  trailers(block: HeadBlock): HeaderList | string
  writeRequest(out: FrameOutput, id: number, x: Exchange, endStream: boolean): void
  writeReply(out: FrameOutput, id: number, reply: OutgoingReply, endStream: boolean): void
  /** They end their stream. */
  writeTrailers(out: FrameOutput, id: number, trailers: HeaderList): void
}
