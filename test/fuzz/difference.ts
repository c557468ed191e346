/**
 * Where we and Node's parser differ on purpose: request-differences.ts and response-differences.ts. Each entry has been
 * looked at. Every `npm test` checks that the two differ on its example, and that nothing but the entry explains it, so
 * that none outlives its reason; a fuzz tells how often each was needed.
 */
import { discrepancy, type Discrepancy } from './compare.ts'
import type { Outcome } from './outcome.ts'

export type Compared = {
  readonly bytes: string
  readonly weft: Outcome
  readonly node: Outcome
  readonly found: Discrepancy
}

export type Difference = {
  readonly name: string
  readonly reason: string
  /** Bytes on which the two differ by this. */
  readonly example: string
  readonly applies: (compared: Compared) => boolean
}

/** We refuse the message in question, and say one of `reasons`. */
export function weRefuse(...reasons: readonly string[]): (compared: Compared) => boolean {
  return ({ weft, found }) =>
    (found.kind === 'only-node' || found.kind === 'end') &&
    weft.end === 'refused' &&
    weft.messages.length === found.index &&
    reasons.includes(weft.reason)
}

/** Node refuses the message in question by one of `codes`; `also` tells that it is for what is named here. */
export function nodeRefuses(
  codes: RegExp,
  also: (compared: Compared) => boolean = () => true,
): (compared: Compared) => boolean {
  return (compared) =>
    (compared.found.kind === 'only-weft' || compared.found.kind === 'end') &&
    compared.node.end === 'refused' &&
    compared.node.messages.length === compared.found.index &&
    codes.test(compared.node.reason) &&
    also(compared)
}

/** Where Node finds fault with trailers; `stopped`, where the request asks for an upgrade. */
export const trailerCodes =
  /^HPE_(?:INVALID_HEADER_TOKEN|INVALID_TRANSFER_ENCODING|INVALID_CONTENT_LENGTH|UNEXPECTED_CONTENT_LENGTH|STRICT|LF_EXPECTED|CR_EXPECTED)|^stopped/
export const framingTrailer =
  /\r\n0+(?:;[^\r]*)?\r\n(?:[^\r\n]+\r\n)*(?:content-length|transfer-encoding|connection):/i
export const openTrailers = /\r\n0+(?:;[^\r]*)?\r\n/
export const tabAfterCoding = /^transfer-encoding:[^\r]*\t[ \t]*\r$/im

/** The entries of `differences` that explain what differs; undefined: nothing does. */
export function explain(
  bytes: string,
  weft: Outcome,
  node: Outcome,
  whole: boolean,
  differences: readonly Difference[],
): { readonly found: Discrepancy; readonly by: readonly Difference[] } | undefined {
  const found = discrepancy(weft, node, whole)
  if (found === undefined) return undefined
  return { found, by: differences.filter((entry) => entry.applies({ bytes, weft, node, found })) }
}
