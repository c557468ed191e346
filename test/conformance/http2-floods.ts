/** What one connection sends to cost more than it pays: each is ended by one of the budgets. */
import {
  block,
  data,
  flags,
  frame,
  headers,
  request,
  settings,
  types,
  uint32,
} from '../support/http2-frames.ts'

const many = (count: number, make: (i: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => make(i)))
const slow = (i: number, endStream = true): Buffer => headers(2 * i + 1, request('POST', '/slow'), endStream)
const crumbs = Array.from({ length: 300 }, () => ['cookie', 'a'] as const)

/** By what they are made of; numbers are those of the reference's list. Requests are for `/slow`, which is never answered. */
export const floods: readonly (readonly [string, Buffer])[] = [
  [
    '88 streams opened and reset',
    many(5000, (i) => Buffer.concat([slow(i), frame(types.reset, 0, 2 * i + 1, uint32(8))])),
  ],
  [
    '90 streams that we are made to reset',
    many(2000, (i) => Buffer.concat([slow(i), frame(types.window, 0, 2 * i + 1, uint32(0))])),
  ],
  ['90 DATA behind the end', many(2000, (i) => Buffer.concat([slow(i), data(2 * i + 1, 'x')]))],
  ['91 more streams than allowed', many(2000, (i) => slow(i))],
  [
    '92 CONTINUATION without end',
    Buffer.concat([
      frame(types.headers, flags.endStream, 1, block(...request())),
      many(2000, () => frame(types.continuation, 0, 1, block(['x-a', 'a']))),
    ]),
  ],
  [
    '92 CONTINUATION without content',
    Buffer.concat([
      frame(types.headers, 0, 1, block(...request())),
      many(2000, () => frame(types.continuation, 0, 1)),
    ]),
  ],
  ['93 PING', many(5000, () => frame(types.ping, 0, 0, Buffer.alloc(8)))],
  ['94 SETTINGS', many(2000, () => settings([4, 65_535]))],
  [
    '94 one SETTINGS with thousands of entries',
    settings(...Array.from({ length: 2700 }, () => [4, 65_535] as const)),
  ],
  ['95 DATA without content', Buffer.concat([slow(0, false), many(5000, () => data(1, '', false))])],
  ['96 PRIORITY', many(5000, (i) => frame(types.priority, 0, 2 * i + 1, Buffer.from([0, 0, 0, 0, 5])))],
  [
    '18 WINDOW_UPDATE of crumbs',
    Buffer.concat([slow(0), many(5000, () => frame(types.window, 0, 1, uint32(1)))]),
  ],
  [
    '70 header lists that are too large',
    many(1000, (i) => headers(2 * i + 1, request('GET', '/', ...crumbs))),
  ],
  ['frames of unknown types', many(5000, () => frame(0x42, 0, 0, 'x'))],
  ['WINDOW_UPDATE where nothing was sent', many(50_000, () => frame(types.window, 0, 0, uint32(2048)))],
  ['answers to no PING', many(5000, () => frame(types.ping, flags.ack, 0, Buffer.alloc(8)))],
  ['GOAWAY', many(5000, () => frame(types.goaway, 0, 0, uint32(0, 0)))],
  [
    'DATA without content for a stream that was reset',
    Buffer.concat([headers(1, [[':method', 'GET']], false), many(5000, () => data(1, '', false))]),
  ],
  ['HEADERS for a stream that was reset', many(5000, () => headers(1, [[':method', 'GET']]))],
]
