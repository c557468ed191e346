/** How much the heads of requests that nobody has answered yet may hold. */
import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { Body } from '../../proxy/body.ts'
import { type Exchange, type Receiver, Reply } from '../../proxy/exchange.ts'
import { HeaderList } from '../../proxy/header-list.ts'
import { HpackForm } from '../../proxy/http2/hpack-form.ts'
import { Http2ServerConnection } from '../../proxy/http2/server-connection.ts'
import { downstream } from '../../proxy/test-exchange.ts'
import { FrameSplitter } from '../fuzz/http2-frames.ts'
import { quietOptions } from '../fuzz/quiet-connection.ts'
import { turn } from '../fuzz/weft-parser.ts'
import { block, frame, preface, request, settings, settingsAck, types } from '../support/http2-frames.ts'
import { MemoryWire } from '../support/memory-wire.ts'

const value = 'v'.repeat(3900)
/** Enters the table, and is one octet from then on. */
const entry = Buffer.concat([
  Buffer.from([0x40, 5]),
  Buffer.from('x-big'),
  Buffer.from([127, ...[3900 - 127].flatMap((rest) => [(rest % 128) + 128, Math.floor(rest / 128)])]),
  Buffer.from(value),
])
const references = 14
const listBytes =
  references * (value.length + 'x-big'.length + 32) +
  request().reduce((sum, [name, text]) => sum + name.length + text.length + 32, 0)
const refusedStream = 7

test.each([
  ['a client', undefined, 2 * 2 ** 20],
  ['another sidecar', 'spiffe://cluster.local/ns/a/sa/b', 8 * 2 ** 20],
])(
  'requests of a few bytes that hold much are refused, of %s, until others are over',
  async (_who, principal, most) => {
    const wire = new MemoryWire()
    const open: (readonly [Exchange, Receiver])[] = []
    const connection = new Http2ServerConnection(wire.wire, {
      ...quietOptions(),
      connect: undefined,
      form: new HpackForm(),
      downstream: { ...downstream, principal },
      handler: (x, receiver) => void open.push([x, receiver]),
      onTunnel: () => undefined,
      onClosed: () => undefined,
    })
    wire.readInto(connection.session)
    const splitter = new FrameSplitter()
    let id = -1
    /** How many of `count` requests were refused. */
    const send = async (count: number, fields: Buffer): Promise<number> => {
      const from = wire.written.length
      for (let i = 0; i < count; i++)
        wire.deliver(
          frame(types.headers, 5, (id += 2), Buffer.concat([block(...request()), fields])).latin1Slice(),
        )
      await turn()
      const frames = splitter.take(Buffer.from(wire.written.slice(from), 'latin1'))
      return frames.filter(
        ({ type, payload }) => type === types.reset && payload.readUInt32BE(0) === refusedStream,
      ).length
    }
    for (const piece of [preface, settings(), settingsAck]) wire.deliver(piece.latin1Slice())
    await send(1, entry)
    const fit = Math.floor((most - value.length - 500) / listBytes)
    const big = Buffer.alloc(references, 0xbe)
    expect(await send(fit, big)).toBe(0)
    expect(await send(3, big)).toBe(3)
    expect(open).toHaveLength(1 + fit)
    const [x, receiver] = open.at(-1) as [Exchange, Receiver]
    receiver.onReply(x, new Reply(200, 'OK', new HeaderList(), Body.empty))
    expect(await send(2, big)).toBe(1)
    connection.destroy()
  },
)
