/** Makes a reply's head of a header block: RFC 9113 section 8.3.2. */
import { type BodyLength, untilClose } from '../body.ts'
import { type FieldSource, HeaderFields } from '../header-fields.ts'
import type { HeaderList } from '../header-list.ts'
import { statusText } from '../http1/status-text.ts'
import type { HeaderBlock } from './hpack/header-block.ts'
import type { IncomingReply } from './head-form.ts'
import { contentLengthOf, type EndToEnd, endToEnd, hasField } from './message-fields.ts'

/** One reply's head; shared by all replies that came the same. */
export class ResponseHead implements FieldSource, IncomingReply {
  readonly status: number
  readonly reason: string
  readonly fields: readonly string[]
  readonly mask: number
  readonly authority = undefined
  readonly openLength = untilClose
  readonly neverIndexed: readonly string[]
  /** -1: not said. */
  readonly contentLength: number

  constructor(
    status: number,
    { fields, mask }: EndToEnd,
    neverIndexed: readonly string[],
    contentLength: number,
  ) {
    this.status = status
    this.reason = statusText(status)
    this.fields = fields
    this.mask = mask
    this.neverIndexed = neverIndexed
    this.contentLength = contentLength
  }

  headers(framing: BodyLength): HeaderList {
    return new HeaderFields(this, framing)
  }
}

/** A text says what is wrong with it. Kept in the block, as requests are. */
export function responseHeadOf(block: HeaderBlock): ResponseHead | string {
  if (block.memo instanceof ResponseHead) return block.memo
  const head = parse(block)
  if (typeof head !== 'string') block.memo = head
  return head
}

function parse(block: HeaderBlock): ResponseHead | string {
  if (block.malformed !== undefined) return block.malformed
  const { status: text, method, scheme, path, authority, protocol } = block
  if ([method, scheme, path, authority, protocol].some((value) => value !== undefined))
    return 'pseudo-fields of a request in a reply'
  if (text === undefined || !/^[1-5][0-9][0-9]$/.test(text) || text === '101') return 'malformed :status'
  const contentLength = contentLengthOf(block.fields)
  if (contentLength === undefined) return 'malformed content-length'
  if (hasField(block.fields, 'te')) return 'te in a reply'
  const status = Number(text)
  // A length that there is no content for is not passed on; a Host has no business here.
  const dropped = status < 200 || status === 204 ? 'content-length' : 'host'
  return new ResponseHead(status, endToEnd(block.fields, dropped), block.neverIndexed, contentLength)
}

/** `:status` of each status, made once. */
const pseudos: (readonly string[] | undefined)[] = []

export function statusPseudo(status: number): readonly string[] {
  return (pseudos[status] ??= [':status', String(status)])
}
