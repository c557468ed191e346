/** Compares our codecs with Node's parser on given bytes; throws where they differ without a reason. */
import { discrepancy } from './compare.ts'
import { type Difference, explain } from './difference.ts'
import { requestDifferences } from './request-differences.ts'
import { responseDifferences } from './response-differences.ts'
import { nodeRequests, nodeResponses } from './node-parser.ts'
import type { Outcome } from './outcome.ts'
import { type Asked, weftRequests, weftResponses } from './weft-parser.ts'

type Run = (pieces: readonly string[]) => Promise<Outcome>

async function compare(
  pieces: readonly string[],
  run: Run,
  node: Outcome,
  differences: readonly Difference[],
): Promise<readonly Difference[]> {
  const bytes = pieces.join('')
  const whole = await run(bytes === '' ? [] : [bytes])
  const weft = pieces.length <= 1 ? whole : await run(pieces)
  const split = discrepancy(weft, whole, false)
  if (split !== undefined)
    throw new Error(`in pieces it is something else: ${split.kind} ${split.index} ${split.text}`)
  const explained = explain(bytes, weft, node, pieces.length <= 1, differences)
  if (explained === undefined) return []
  const { by, found } = explained
  if (by.length === 0) throw new Error(`${found.kind} ${found.index}: ${found.text}`)
  return by
}

/** Gives the entries of the list that explain what differs; throws when something else does. */
export function compareRequests(pieces: readonly string[]): Promise<readonly Difference[]> {
  return compare(pieces, weftRequests, nodeRequests(pieces), requestDifferences)
}

export function compareResponses(pieces: readonly string[], asked: Asked): Promise<readonly Difference[]> {
  const run: Run = (parts) => weftResponses(parts, asked)
  return compare(pieces, run, nodeResponses(pieces.join(''), asked.method), responseDifferences)
}
