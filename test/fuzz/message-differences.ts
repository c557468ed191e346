/** What we and Node's parser take differently on purpose in requests and responses alike. */
import { type Difference, weRefuse } from './difference.ts'

export type MessageKind = {
  readonly startLine: string
  /** A whole message with these fields and this body. */
  readonly make: (fields: string, body?: string) => string
  /** Before each reason for a refusal. */
  readonly refusal: string
}

export function messageDifferences({ startLine, make, refusal }: MessageKind): readonly Difference[] {
  const refused = (...reasons: readonly string[]) => weRefuse(...reasons.map((reason) => refusal + reason))
  return [
    {
      name: 'what is wrong is refused when it is seen',
      reason: 'Node goes on to the end of the head, or of the line; neither takes it for a message',
      example: `${startLine}\r\nContent-Length: \r\n`,
      applies: ({ found, weft, node }) =>
        found.kind === 'end' && weft.end === 'refused' && node.end === 'incomplete',
    },
    {
      name: 'a length is a number that we can count to',
      reason:
        'http1.md row 12: 16 digits at most, as JavaScript rounds above 2^53; Node takes any up to 2^64',
      example: make('Content-Length: 00000000000000003\r\n', 'abc'),
      applies: (compared) =>
        /content-length:[ \t]*[0-9]{16,}/i.test(compared.bytes) &&
        refused('Content-Length is not a plain decimal number', 'Content-Length is too large')(compared),
    },
    {
      name: 'at most 100 connection options',
      reason: 'each is looked for in the whole head: 25,000 of them took 40 ms',
      example: make(`Content-Length: 0\r\nConnection: ${'a,'.repeat(100)}b\r\n`),
      applies: refused('too many connection options'),
    },
    {
      name: 'chunk extensions have names',
      reason: 'RFC 9112 7.1.1; Node takes empty ones (http1.md row 40)',
      example: make('Transfer-Encoding: chunked\r\n', '0;;a\r\n\r\n'),
      applies: refused('malformed chunk extension'),
    },
  ]
}
