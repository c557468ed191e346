/** What we write is what we meant: any exchange, written by our codecs, as Node's parser reads it. */
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Body, chunked, untilClose } from '../../proxy/body.ts'
import { Exchange, type Receiver, Reply } from '../../proxy/exchange.ts'
import { HeaderList } from '../../proxy/header-list.ts'
import { ClientConnection } from '../../proxy/http1/client-connection.ts'
import { ServerConnection } from '../../proxy/http1/server-connection.ts'
import { downstream } from '../../proxy/test-exchange.ts'
import { MemoryWire } from '../support/memory-wire.ts'
import { fuzz } from './fuzz-run.ts'
import { nodeMethods, nodeRequests, nodeResponses } from './node-parser.ts'
import { quietOptions } from './quiet-connection.ts'
import { turn } from './weft-parser.ts'

/** Names that this hop writes itself, or that end at it. */
const ownNames = new Set([
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'te',
  'expect',
  'keep-alive',
  'trailer',
  'host',
  'proxy-connection',
  'http2-settings',
])
const name = fc
  .stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/)
  .filter((text) => !ownNames.has(text.toLowerCase()))
const value = fc.stringMatching(/^(?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]{0,30}[!-~\x80-\xff])?)?$/)
const fields = fc.array(fc.tuple(name, value), { maxLength: 8 })
const reason = fc.stringMatching(/^[ \t!-~\x80-\xff]{0,20}$/)

/** How a body's length is told, and the pieces that it comes in. */
type Content = {
  readonly framing: 'inline' | 'length' | 'chunked' | 'until-close'
  readonly pieces: readonly string[]
  readonly trailers: readonly (readonly [string, string])[]
}
const piece = fc.oneof(
  fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 40 }),
  fc.constantFrom('\r\n', '0\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', '\xff\0\x80', 'x'.repeat(5000)),
)
const content: fc.Arbitrary<Content> = fc.record({
  framing: fc.constantFrom('inline', 'length', 'chunked', 'until-close'),
  pieces: fc.array(piece, { maxLength: 4 }),
  trailers: fc.array(
    fc.tuple(
      name.map((text) => `x-${text}`),
      value,
    ),
    { maxLength: 2 },
  ),
})

function headersOf(pairs: readonly (readonly [string, string])[]): HeaderList {
  return HeaderList.of(...pairs.flat())
}

const expectedFields = (pairs: readonly (readonly [string, string])[]): readonly string[] =>
  pairs.map(([key, text]) => `${key.toLowerCase()}: ${text}`)

/** A body as `content` says, with the header that frames it appended; `fill` lets its pieces come. */
function bodyOf(
  { framing, pieces, trailers }: Content,
  headers: HeaderList,
): { body: Body; fill: () => void } {
  const all = pieces.join('')
  if (framing === 'inline' || framing === 'length') headers.append('Content-Length', String(all.length))
  if (framing === 'chunked') headers.append('Transfer-Encoding', 'chunked')
  if (framing === 'inline') return { body: Body.of(all), fill: () => undefined }
  const length = framing === 'length' ? all.length : framing === 'chunked' ? chunked : untilClose
  const body = new Body(length, undefined)
  const fill = (): void => {
    for (const text of pieces) body.push(Buffer.from(text, 'latin1'))
    body.finish(framing === 'chunked' ? headersOf(trailers) : undefined)
  }
  return { body, fill }
}

const request = fc.record({
  method: fc.constantFrom(...[...nodeMethods].filter((verb) => verb !== 'CONNECT')),
  target: fc.stringMatching(/^\/[!$-~]{0,30}$/).filter((text) => !text.includes('#')),
  fields,
  content: content.filter(({ framing }) => framing !== 'until-close'),
  acceptsTrailers: fc.boolean(),
  expectsContinue: fc.boolean(),
  early: fc.boolean(),
})

test('a request that we write is the one that we were given', async () => {
  const property = fc.asyncProperty(request, async (given) => {
    const wire = new MemoryWire()
    const connection = new ClientConnection(wire.wire, { onIdle: () => undefined, onClosed: () => undefined })
    const headers = headersOf([['Host', 'a'], ...given.fields])
    const { body, fill } = bodyOf(given.content, headers)
    if (given.early) fill()
    const head = { ...given, authority: 'a', absoluteForm: false, upgrade: undefined, headers }
    const x = new Exchange(downstream, head, body, 0)
    x.expectsContinue = given.expectsContinue
    connection.send(x, { onReply: () => undefined, onFailure: () => undefined })
    if (!given.early) fill()
    const next = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n'
    const { messages, end } = nodeRequests([wire.written + next])
    connection.destroy()
    await turn()
    expect(end).toBe('clean')
    expect(messages).toHaveLength(2)
    expect(messages[0]).toMatchObject({
      start: `${given.method} ${given.target}`,
      fields: ['host: a', ...expectedFields(given.fields)],
      body: given.content.pieces.join(''),
      keepAlive: true,
    })
    expect(wire.written.includes('Connection: TE\r\nTE: trailers\r\n')).toBe(given.acceptsTrailers)
    expectTrailers(wire.written, given.content, given.acceptsTrailers)
  })
  await fuzz('requests written', property)
})

/** Trailers stand behind the last chunk, where they may be forwarded. */
function expectTrailers(written: string, { framing, trailers }: Content, forwarded: boolean): void {
  if (framing !== 'chunked') return
  const lines = forwarded ? headersOf(trailers).lines : ''
  expect(written.endsWith(`0\r\n${lines}\r\n`)).toBe(true)
}

const reply = fc.record({
  status: fc.constantFrom(200, 201, 404, 500, 599),
  reason,
  fields,
  content,
  early: fc.boolean(),
  client: fc.record({
    method: fc.constantFrom('GET', 'POST', 'HEAD'),
    version: fc.constantFrom('1.1', '1.0'),
    fields: fc.constantFrom('', 'Connection: close\r\n', 'Connection: keep-alive\r\n', 'TE: trailers\r\n'),
  }),
})

test('a reply that we write is the one that we were given', async () => {
  const property = fc.asyncProperty(reply, async (given) => {
    const { client, content: replyContent } = given
    const wire = new MemoryWire()
    const headers = headersOf(given.fields)
    const { body, fill } = bodyOf(replyContent, headers)
    if (given.early) fill()
    const connection = new ServerConnection(wire.wire, {
      ...quietOptions(),
      handler: (x: Exchange, receiver: Receiver) =>
        receiver.onReply(x, new Reply(given.status, given.reason, headers, body)),
      connect: undefined,
      onTunnel: () => undefined,
    })
    wire.readInto(connection)
    wire.deliver(`${client.method} / HTTP/${client.version}\r\nHost: a\r\n${client.fields}\r\n`)
    if (!given.early) fill()
    await turn()
    const kept = wire.state === 'open'
    const { messages, end } = nodeResponses(wire.written, client.method)
    connection.destroy()
    await turn()
    const bodyless = client.method === 'HEAD'
    expect(end).toBe('clean')
    expect(messages).toHaveLength(1)
    expect(messages[0]).toMatchObject({
      start: String(given.status),
      fields: expectedFields(given.fields),
      body: bodyless ? '' : replyContent.pieces.join(''),
    })
    expect(wire.written.startsWith(`HTTP/1.1 ${given.status} ${given.reason}\r\n`)).toBe(true)
    // Where the length is not told, the end of the connection has to tell it; where it is, close has to be announced.
    const closes =
      client.fields === 'Connection: close\r\n' ||
      (client.version === '1.0' && client.fields !== 'Connection: keep-alive\r\n') ||
      (client.version === '1.0' &&
        (replyContent.framing === 'chunked' || replyContent.framing === 'until-close'))
    expect(kept).toBe(!closes)
    expect(
      /\r\nconnection: close\r\n/i.test(wire.written.slice(0, wire.written.indexOf('\r\n\r\n') + 2)),
    ).toBe(closes)
    if (client.version === '1.1' && !bodyless)
      expectTrailers(wire.written, replyContent, client.fields === 'TE: trailers\r\n')
  })
  await fuzz('replies written', property)
})
