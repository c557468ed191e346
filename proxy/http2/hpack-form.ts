/** Heads as HTTP/2 has them. */
import type { Buffer } from 'node:buffer'
import type { Exchange } from '../exchange.ts'
import { framed, HeaderFields } from '../header-fields.ts'
import type { HeaderList } from '../header-list.ts'
import { ConnectionFault } from './faults.ts'
import type { FrameOutput } from './frame-output.ts'
import { errorCode } from './frame-types.ts'
import type { HeadForm, IncomingReply, IncomingRequest, Malformed, OutgoingReply } from './head-form.ts'
import { HpackDecoder } from './hpack/decoder.ts'
import type { HeaderBlock } from './hpack/header-block.ts'
import { HpackError } from './hpack/hpack-error.ts'
import { maxHeaderFields, maxHeaderListBytes } from './limits.ts'
import { trailerFields } from './message-fields.ts'
import { pseudoOf, RequestHead, requestHeadOf } from './request-head.ts'
import { responseHeadOf, statusPseudo } from './response-head.ts'
import { withoutHandshake } from './web-socket.ts'

const noFields: readonly string[] = []
const trailersWanted = ['te', 'trailers'] as const
const continueWanted = ['expect', '100-continue'] as const

/** One for each connection: a decoder remembers what has come. */
export class HpackForm implements HeadForm {
  readonly takesWebSockets = true
  readonly #decoder = new HpackDecoder(4096, {
    maxListBytes: maxHeaderListBytes,
    maxFields: maxHeaderFields,
  })

  decode(buffer: Buffer, from: number, to: number): HeaderBlock | undefined {
    try {
      return this.#decoder.decode(buffer, from, to)
    } catch (error) {
      if (error instanceof HpackError && error.kind === 'list-too-large') return undefined
      throw new ConnectionFault(errorCode.compressionError, (error as Error).message)
    }
  }

  request(block: HeaderBlock): IncomingRequest | Malformed {
    return requestHeadOf(block)
  }

  reply(block: HeaderBlock): IncomingReply | string {
    return responseHeadOf(block)
  }

  trailers(block: HeaderBlock): HeaderList | string {
    if (block.malformed !== undefined) return block.malformed
    if (hasPseudo(block)) return 'pseudo-fields in trailers'
    const { neverIndexed } = block
    return new HeaderFields({ ...trailerFields(block.fields), authority: undefined, neverIndexed }, framed)
  }

  writeRequest(out: FrameOutput, id: number, x: Exchange, endStream: boolean): void {
    if (x.upgrade === undefined) out.headers(id, pseudoFor(x), x.headers, endStream, extrasFor(x))
    else out.headers(id, tunnelPseudoFor(x, x.upgrade), withoutHandshake(x.headers), false)
  }

  writeReply(out: FrameOutput, id: number, { status, headers }: OutgoingReply, endStream: boolean): void {
    out.headers(id, statusPseudo(status), headers, endStream)
  }

  writeTrailers(out: FrameOutput, id: number, trailers: HeaderList): void {
    out.headers(id, noFields, trailers, true)
  }
}

function hasPseudo({ method, scheme, authority, path, status, protocol }: HeaderBlock): boolean {
  return [method, scheme, authority, path, status, protocol].some((value) => value !== undefined)
}

/** CONNECT for what HTTP/1 upgrades (RFC 8441 4). */
function tunnelPseudoFor(x: Exchange, protocol: string): readonly string[] {
  const [, , ...others] = pseudoFor(x)
  return [':method', 'CONNECT', ':protocol', protocol.toLowerCase(), ...others]
}

/** The same array for requests that came the same and go on unchanged. */
function pseudoFor(x: Exchange): readonly string[] {
  const { headers } = x
  const authority = headers.get('host') ?? (x.authority === '' ? x.upstreamAddress : x.authority)
  if (!(headers instanceof HeaderFields) || !(headers.source instanceof RequestHead))
    return pseudoOf(x.method, 'http', authority, x.target)
  const { source } = headers
  if (source.target === x.target && source.authority === authority) return source.pseudo
  return pseudoOf(x.method, source.pseudo[3] as string, authority, x.target)
}

/** What HTTP/1 says of its hop alone, and HTTP/2 in fields. */
function extrasFor(x: Exchange): readonly string[] {
  if (x.headers instanceof HeaderFields) return noFields
  if (!x.acceptsTrailers) return x.expectsContinue ? continueWanted : noFields
  return x.expectsContinue ? [...trailersWanted, ...continueWanted] : trailersWanted
}
