/** Whether two parsers made the same of the same bytes. */
import type { Message, Outcome } from './outcome.ts'

/** The first thing that differs. */
export type Discrepancy = {
  /** A message that only one of them takes for one, a message that they read differently, or how the bytes end. */
  readonly kind: 'only-node' | 'only-weft' | 'message' | 'end'
  /** The messages before it, which both read alike. */
  readonly index: number
  readonly text: string
}

/** A target in absolute form is ours to rewrite, and Host with it. */
function described(message: Message, other: Message): string {
  const absolute = message.start.endsWith(' (absolute)') || other.start.endsWith(' (absolute)')
  const start = absolute ? message.start.slice(0, message.start.indexOf(' ')) : message.start
  const fields = absolute ? message.fields.filter((field) => !field.startsWith('host: ')) : message.fields
  // Whether an upgrade is taken is not the parser's to say, nor then what becomes of the connection.
  const keepAlive = message.upgrade || other.upgrade || message.keepAlive
  return JSON.stringify([start, fields, message.body, keepAlive])
}

/** Up to the first message that ends HTTP: what comes behind an upgrade, or a close, is nobody's request. */
function relevant(outcome: Outcome, other: Outcome): Outcome {
  const last = outcome.messages.findIndex((message, i) => {
    const same = other.messages[i]
    return same !== undefined && (message.upgrade || same.upgrade || (!message.keepAlive && !same.keepAlive))
  })
  return last === -1 ? outcome : { ...outcome, messages: outcome.messages.slice(0, last + 1), end: 'clean' }
}

/** What differs first; undefined when nothing does. `whole`: the bytes came in one piece, so that both saw all. */
export function discrepancy(weft: Outcome, node: Outcome, whole: boolean): Discrepancy | undefined {
  const ours = relevant(weft, node)
  const theirs = relevant(node, weft)
  for (let index = 0; index < Math.max(ours.messages.length, theirs.messages.length); index++) {
    const a = ours.messages[index]
    const b = theirs.messages[index]
    if (a === undefined)
      return { kind: 'only-node', index, text: `${JSON.stringify(b)}, but ours: ${ours.end} ${ours.reason}` }
    if (b === undefined)
      return {
        kind: 'only-weft',
        index,
        text: `${JSON.stringify(a)}, but Node's: ${theirs.end} ${theirs.reason}`,
      }
    const [ourText, theirText] = [described(a, b), described(b, a)]
    if (ourText !== theirText) return { kind: 'message', index, text: `ours ${ourText}, Node's ${theirText}` }
  }
  // In pieces, bytes that are no message may be waited for or refused: neither takes them for one.
  const same = whole ? ours.end === theirs.end : (ours.end === 'clean') === (theirs.end === 'clean')
  if (same) return undefined
  const text = `ours ${ours.end} ${ours.reason}, Node's ${theirs.end} ${theirs.reason}`
  return { kind: 'end', index: ours.messages.length, text }
}
