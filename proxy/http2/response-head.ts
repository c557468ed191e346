/** Makes a reply's head of a header block: RFC 9113 section 8.3.2. */
import type { FieldSource } from '../header-fields.ts'
import { statusText } from '../http1/status-text.ts'
import type { HeaderBlock } from './hpack/header-block.ts'
import { contentLengthOf, endToEnd, hasField } from './message-fields.ts'

/** One reply's head; shared by all replies that came the same. */
export type ResponseHead = FieldSource & {
  readonly status: number
  readonly reason: string
  /** -1: not said. */
  readonly contentLength: number
}

/** What is wrong with it, where it is no text that says so. Kept in the block, as requests are. */
export function responseHeadOf(block: HeaderBlock): ResponseHead | string {
  const known = block.memo as ResponseHead | string | undefined
  if (known !== undefined) return known
  const head = parse(block)
  block.memo = head
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
  const bodiless = status < 200 || status === 204
  const { fields, mask } = endToEnd(block.fields, bodiless ? 'content-length' : 'host')
  const { neverIndexed } = block
  return {
    status,
    reason: statusText(status),
    fields,
    mask,
    authority: undefined,
    neverIndexed,
    contentLength,
  }
}

/** `:status` of each status, made once. */
const pseudos: (readonly string[] | undefined)[] = []

export function statusPseudo(status: number): readonly string[] {
  return (pseudos[status] ??= [':status', String(status)])
}
