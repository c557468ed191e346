/** Makes a request's head of a header block: RFC 9113 section 8.3, strictly, as HTTP/1 would have to carry it. */
import type { BodyLength } from '../body.ts'
import { type FieldSource, framed, HeaderFields } from '../header-fields.ts'
import { isGrpcType } from '../grpc/grpc-call.ts'
import { bitOf, type HeaderList } from '../header-list.ts'
import { targetTable, tokenTable } from '../http1/characters.ts'
import { isAuthority } from '../http1/request-head.ts'
import type { HeaderBlock } from './hpack/header-block.ts'
import type { IncomingRequest, Malformed } from './head-form.ts'
import { contentLengthOf, endToEnd, type EndToEnd, hasField, madeOf } from './message-fields.ts'

const [teBit, expectBit, typeBit] = [bitOf('te'), bitOf('expect'), bitOf('content-type')]

/** One request's head; shared by all requests that came the same, and never changed. */
export class RequestHead implements FieldSource, IncomingRequest {
  readonly method: string
  readonly target: string
  readonly authority: string
  readonly absoluteForm = true
  readonly upgrade: 'websocket' | undefined
  readonly tunnel: IncomingRequest['tunnel']
  readonly http2 = true
  readonly fields: readonly string[]
  readonly mask: number
  readonly neverIndexed: readonly string[]
  readonly acceptsTrailers: boolean
  /** 'unknown': an expectation other than 100-continue. */
  readonly expects: 'continue' | 'unknown' | undefined
  /** -1: not said. */
  readonly contentLength: number
  readonly isGrpc: boolean
  /** As it is sent on, in one piece. */
  readonly pseudo: readonly string[]
  /** How HTTP/1 would have to frame this body; set for each request before its list is asked for. */
  framing: BodyLength = framed

  constructor(
    block: HeaderBlock,
    authority: string,
    { fields, mask }: EndToEnd,
    contentLength: number,
    tunnel?: IncomingRequest['tunnel'],
  ) {
    this.tunnel = tunnel
    this.upgrade = tunnel === 'websocket' ? tunnel : undefined
    // HTTP/1 asks for a WebSocket by an upgrade, and that is what it is to routes and rules.
    this.method = this.upgrade === undefined ? (block.method as string) : 'GET'
    this.target = block.path ?? authority
    this.authority = authority
    this.fields = fields
    this.mask = mask
    this.neverIndexed = block.neverIndexed
    this.contentLength = contentLength
    this.acceptsTrailers = (mask & teBit) !== 0 && valueIn(fields, 'te') === 'trailers'
    const expect = (mask & expectBit) === 0 ? undefined : valueIn(fields, 'expect')?.toLowerCase()
    if (expect === undefined) this.expects = undefined
    else this.expects = expect === '100-continue' ? 'continue' : 'unknown'
    this.isGrpc = (mask & typeBit) !== 0 && isGrpcType(valueIn(fields, 'content-type'))
    this.pseudo = pseudoOf(this.method, schemeOf(block) ?? 'http', authority, this.target)
  }

  /** A list of its own for each request. */
  get headers(): HeaderList {
    return new HeaderFields(this, this.framing)
  }
}

export function pseudoOf(
  method: string,
  scheme: string,
  authority: string,
  target: string,
): readonly string[] {
  if (authority === '') return [':method', method, ':scheme', scheme, ':path', target]
  return [':method', method, ':scheme', scheme, ':path', target, ':authority', authority]
}

/** Kept in the block: what is decoded again and again is looked at once. */
export function requestHeadOf(block: HeaderBlock): RequestHead | Malformed {
  // An equal block may have been something else on another connection.
  if (block.memo instanceof RequestHead) return block.memo
  const head = parse(block)
  if (head instanceof RequestHead) block.memo = head
  return head
}

function parse(block: HeaderBlock): RequestHead | Malformed {
  const { method, protocol, status } = block
  if (block.malformed !== undefined) return { reason: block.malformed }
  if (status !== undefined) return { reason: ':status in a request' }
  if (method === undefined || method === '' || !madeOf(tokenTable, method))
    return { reason: 'malformed :method' }
  if (method === 'CONNECT') return connect(block)
  if (protocol !== undefined) return { reason: ':protocol without CONNECT' }
  return request(block)
}

function request(block: HeaderBlock, tunnel?: 'websocket'): RequestHead | Malformed {
  const { method, path } = block
  if (schemeOf(block) === undefined) return { reason: 'malformed :scheme' }
  if (path === undefined || !isTarget(path, method as string)) return { reason: 'malformed :path' }
  const authority = authorityOf(block)
  if (authority === undefined) return { reason: 'malformed :authority or host' }
  const contentLength = contentLengthOf(block.fields)
  if (contentLength === undefined) return { reason: 'malformed content-length' }
  if (tunnel !== undefined && contentLength !== -1) return { reason: 'CONNECT with a content-length' }
  return new RequestHead(block, authority, endToEnd(block.fields, 'host'), contentLength, tunnel)
}

/** RFC 9113 8.5: to a host and a port; with a `:protocol` (RFC 8441) to what a path leads to. */
function connect(block: HeaderBlock): RequestHead | Malformed {
  const { scheme, path, protocol, fields } = block
  if (protocol !== undefined) {
    if (protocol.toLowerCase() === 'websocket') return request(block, 'websocket')
    return { reason: `no tunnel for ${protocol}`, status: 501 }
  }
  const authority = authorityOf(block)
  const well = scheme === undefined && path === undefined && !hasField(fields, 'content-length')
  if (!well || block.authority === undefined || authority === undefined || !/:[0-9]+$/.test(authority))
    return { reason: 'malformed CONNECT' }
  return new RequestHead(block, authority, endToEnd(fields, 'host'), -1, 'connect')
}

/** In small letters, as servers compare it; undefined: it is none that we could serve. */
function schemeOf({ scheme }: HeaderBlock): 'http' | 'https' | undefined {
  if (scheme === 'http' || scheme === 'https') return scheme
  const small = scheme?.toLowerCase()
  return small === 'http' || small === 'https' ? small : undefined
}

function isTarget(path: string, method: string): boolean {
  if (path.charCodeAt(0) !== slash) return path === '*' && method === 'OPTIONS'
  return madeOf(targetTable, path)
}

const slash = 0x2f

/** Host and `:authority` may not differ: who routes by the one would let pass what the other asks for. */
function authorityOf(block: HeaderBlock): string | undefined {
  const { authority, fields } = block
  let host: string | undefined
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== 'host') continue
    if (host !== undefined) return undefined
    host = fields[i + 1] as string
  }
  const named = authority ?? host
  if (named === undefined || !isAuthority(named)) return undefined
  if (host === undefined || host === named) return named
  const normal = (text: string): string =>
    text.toLowerCase().replace(schemeOf(block) === 'https' ? /:443$/ : /:80$/, '')
  return normal(host) === normal(named) ? named : undefined
}

function valueIn(fields: readonly string[], name: string): string | undefined {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1]
  return undefined
}
