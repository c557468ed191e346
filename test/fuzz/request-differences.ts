/** Requests that we and Node's parser take differently, on purpose. */
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
import { nodeMethods } from './node-parser.ts'
import type { Outcome } from './outcome.ts'

function inBody(weft: Outcome): boolean {
  return weft.end === 'incomplete' && weft.reason === 'the request body took too long'
}

const chunked = 'Transfer-Encoding: chunked\r\n'
const get = (fields: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`

export const requestDifferences: readonly Difference[] = [
  {
    name: 'Host is required, one, and a host',
    reason:
      'RFC 9112 3.2: routing and whoever is behind us must read the same name; Node leaves that to node:http',
    example: 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n',
    applies: weRefuse('400 no Host', '400 more than one Host', '400 malformed Host'),
  },
  {
    name: 'framing fields have no underscore',
    reason: 'CGI reads Content_Length and Transfer_Encoding as the fields that frame; Node takes any token',
    example: get('Content_Length: 3\r\n'),
    applies: weRefuse('400 framing field with an underscore'),
  },
  {
    name: 'targets have four forms, without fragment and userinfo',
    reason: 'RFC 9112 3.2: Node takes any text between the spaces',
    example: 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n',
    applies: weRefuse(
      '400 malformed request target',
      '400 unsupported request target',
      '400 malformed authority in the request target',
    ),
  },
  {
    name: 'CONNECT is not allowed',
    reason: 'no route allows it (http1.md row 30)',
    example: 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n',
    applies: weRefuse('405 CONNECT is not allowed here'),
  },
  {
    name: 'unknown expectations are refused',
    reason: 'RFC 9110 10.1.1: 417; Node leaves that to node:http',
    example: get('Expect: magic\r\n'),
    applies: weRefuse('417 unknown expectation'),
  },
  {
    name: 'Transfer-Encoding in HTTP/1.0',
    reason: 'RFC 9112 6.1: its framing is faulty, whatever it says (http1.md row 7)',
    example: 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    applies: weRefuse('400 Transfer-Encoding in HTTP/1.0'),
  },
  {
    name: 'other codings below chunked',
    reason: 'whoever re-frames must not pass on a coding that it does not know (http1.md row 3)',
    example: get('Transfer-Encoding: gzip, chunked\r\n') + '0\r\n\r\n',
    applies: weRefuse('501 unsupported transfer coding'),
  },
  {
    name: 'HTTP versions beside 1.x',
    reason: 'we speak 1.0 and 1.1 (http1.md rows 38, 39); Node takes 0.9 and 2.0 too',
    example: 'GET / HTTP/0.9\r\nHost: a\r\n\r\n',
    applies: (compared) =>
      weRefuse('505 unsupported HTTP version', '400 malformed request line')(compared) ||
      // After a line of HTTP/0.9 Node takes a LF alone.
      (/(?:^|\n)[^ \r\n]+ [^ \r\n]*\n/.test(compared.bytes) && weRefuse('400 bare LF')(compared)),
  },
  {
    name: 'methods are tokens',
    reason:
      'RFC 9110 9.1: a proxy passes on those that it does not know, as they are written (http1.md row 35)',
    example: 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n',
    applies: nodeRefuses(/^HPE_INVALID_(?:METHOD|VERSION)/, ({ weft, found }) => {
      const start = weft.messages[found.index]?.start ?? (inBody(weft) ? weft.begun : undefined)
      const method = start?.split(' ')[0]
      return method !== undefined && (!nodeMethods.has(method) || method === 'PRI')
    }),
  },
  {
    name: 'a head is judged as a whole',
    reason: 'it is waited for at most 10 s; nothing of it is used before',
    example: 'GET / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\nHost: a\r\n',
    applies: nodeRefuses(/^HPE_/, ({ weft }) => weft.reason === 'the request head took too long'),
  },
  {
    name: 'trailers are judged as a whole',
    reason: 'they are waited for as long as the body is; nothing of them is used before',
    example: `${get(chunked)}0\r\nX-T : 1\r\n`,
    applies: nodeRefuses(trailerCodes, ({ bytes, weft }) => inBody(weft) && openTrailers.test(bytes)),
  },
  {
    name: 'two Transfer-Encodings',
    reason: 'whoever reads only one of them frames differently (http1.md row 4)',
    example: `${get('Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n')}0\r\n\r\n`,
    applies: weRefuse('400 more than one Transfer-Encoding'),
  },
  {
    name: 'Transfer-Encoding beside Upgrade',
    reason: 'Node leaves the body of an upgrade alone, so that it does not matter to it how that is framed',
    example: get('Connection: Upgrade\r\nUpgrade: x\r\nTransfer-Encoding: y\r\n'),
    applies: (compared) =>
      compared.node.messages[compared.found.index]?.upgrade === true &&
      (inBody(compared.weft) ||
        weRefuse('400 malformed Transfer-Encoding', '400 malformed chunk size')(compared)),
  },
  {
    name: 'one empty line before a request',
    reason: 'RFC 9112 2.2 asks for one to be forgiven; Node skips any number of CR and LF (http1.md row 37)',
    example: `\r\n\r\n${get('')}`,
    applies: (compared) =>
      /(?:^|\n|[^\r])[\r\n]/.test(compared.bytes) &&
      weRefuse('400 malformed method', '400 bare CR')(compared),
  },
  {
    name: 'close wins over keep-alive in HTTP/1.0',
    reason: 'RFC 9112 9.3: close is looked for first',
    example: 'GET / HTTP/1.0\r\nHost: a\r\nConnection: close, keep-alive\r\n\r\n',
    applies: ({ bytes, weft, node, found }) =>
      found.kind === 'message' &&
      / HTTP\/1\.0\r\n/.test(bytes) &&
      /^connection:.*close/im.test(bytes) &&
      /^connection:.*keep-alive/im.test(bytes) &&
      weft.messages[found.index]?.keepAlive === false &&
      node.messages[found.index]?.keepAlive === true,
  },
  {
    name: 'HTTP/1.2 to 1.9 are HTTP/1.1',
    reason: 'RFC 9110 2.5: a higher minor version is read as the highest that is known',
    example: 'GET / HTTP/1.2\r\nHost: a\r\n\r\n',
    applies: nodeRefuses(/^HPE_INVALID_VERSION/, ({ bytes }) => / HTTP\/1\.[2-9]\r\n/.test(bytes)),
  },
  {
    name: 'Proxy-Connection says nothing',
    reason: 'RFC 9112 C.2.2: it is not to be sent, and means what Connection does only to some',
    example: 'GET / HTTP/1.0\r\nHost: a\r\nProxy-Connection: keep-alive\r\n\r\n',
    applies: ({ bytes, weft, node, found }) =>
      found.kind === 'message' &&
      /^proxy-connection:/im.test(bytes) &&
      weft.messages[found.index]?.keepAlive !== node.messages[found.index]?.keepAlive,
  },
  ...messageDifferences({
    startLine: 'GET / HTTP/1.1',
    make: (fields, body = '') => get(fields) + body,
    refusal: '400 ',
  }),
  {
    name: 'white space ends at a tab, too',
    reason: 'RFC 9110 5.6.3: OWS is spaces and tabs; what we write has none (http1.md row 6)',
    example: `${get('Transfer-Encoding: chunked\t\r\n')}0\r\n\r\n`,
    applies: (compared) =>
      tabAfterCoding.test(compared.bytes) &&
      (compared.node.messages[compared.found.index]?.upgrade === true ||
        nodeRefuses(/^HPE_INVALID_TRANSFER_ENCODING|^stopped/)(compared)),
  },
  {
    name: 'trailers that frame are dropped',
    reason: 'RFC 9110 6.5.1 leaves it open; they are not looked at (http1.md row 47)',
    example: `${get(chunked)}0\r\nContent-Length: 5\r\n\r\n`,
    applies: (compared) =>
      framingTrailer.test(compared.bytes) &&
      (nodeRefuses(trailerCodes)(compared) ||
        (compared.found.kind === 'only-weft' && compared.node.reason.startsWith('HPE_CLOSED'))),
  },
]
