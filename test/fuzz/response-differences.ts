/** Responses that we and Node's parser take differently, on purpose. */
import {
  type Difference,
  framingTrailer,
  nodeRefuses,
  openTrailers,
  tabAfterCoding,
  trailerCodes,
  weRefuse,
} from './difference.ts'
import { messageDifferences } from './message-differences.ts'

const chunked = 'Transfer-Encoding: chunked\r\n'
const reply = (fields: string, body = ''): string => `HTTP/1.1 200 OK\r\n${fields}\r\n${body}`

export const responseDifferences: readonly Difference[] = [
  {
    name: 'statuses from 100 to 599, in HTTP/1.0 and 1.1, with a clean reason',
    reason: 'http1.md row 1.2.14: Node takes any three digits, 0.9 and 2.0, and controls in the reason',
    example: 'HTTP/1.1 999 A\r\n\r\n',
    applies: weRefuse('malformed status line'),
  },
  {
    name: 'only chunked, once, alone, in HTTP/1.1',
    reason: 'http1.md rows 1.2.1 and 1.2.3: Node reads a reply with another coding until the end',
    example: reply('Transfer-Encoding: gzip\r\n', 'abc'),
    applies: weRefuse(
      'malformed Transfer-Encoding',
      'more than one Transfer-Encoding',
      'Transfer-Encoding in HTTP/1.0',
    ),
  },
  {
    name: 'a 101 answers what was asked',
    reason: 'http1.md row 1.2.10; Node leaves that to node:http',
    example: 'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    applies: weRefuse('unasked upgrade'),
  },
  {
    name: 'HEAD keeps the connection without a length',
    reason: 'RFC 9112 6.3: its reply ends with its head, whatever that says',
    example: reply(''),
    applies: ({ found, weft, node }) => {
      const [ours, theirs] = [weft.messages[found.index], node.messages[found.index]]
      return found.kind === 'message' && ours?.keepAlive === true && ours.body === '' && theirs?.body === ''
    },
  },
  {
    name: 'a head is judged as a whole',
    reason: 'it is waited for as long as the route says; nothing of it is used before',
    example: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n',
    applies: nodeRefuses(/^HPE_/, ({ weft }) => weft.reason === 'upstream closed before it replied'),
  },
  {
    name: 'trailers are judged as a whole',
    reason: 'nothing of them is used before',
    example: `${reply(chunked)}0\r\nX-T : 1\r\n`,
    applies: nodeRefuses(
      trailerCodes,
      ({ bytes, weft }) => weft.end === 'incomplete' && openTrailers.test(bytes),
    ),
  },
  {
    name: 'trailers that frame are dropped',
    reason: 'RFC 9110 6.5.1 leaves it open; they are not looked at (http1.md row 47)',
    example: `${reply(chunked)}0\r\nContent-Length: 5\r\n\r\n`,
    applies: (compared) => framingTrailer.test(compared.bytes) && nodeRefuses(trailerCodes)(compared),
  },
  ...messageDifferences({ startLine: 'HTTP/1.1 200 OK', make: reply, refusal: '' }),
  {
    name: 'white space ends at a tab, too',
    reason: 'RFC 9110 5.6.3: OWS is spaces and tabs; what we write has none (http1.md row 6)',
    example: reply('Transfer-Encoding: chunked\t\r\n', '0\r\n\r\n'),
    applies: ({ bytes, found }) =>
      tabAfterCoding.test(bytes) &&
      (found.kind === 'message' || found.kind === 'only-node' || found.kind === 'end'),
  },
]
