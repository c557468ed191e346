/** How long a client may take for a frame that it has begun. */
import { expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { HpackForm } from '../../proxy/http2/hpack-form.ts'
import { Http2ServerConnection } from '../../proxy/http2/server-connection.ts'
import { quietOptions } from '../fuzz/quiet-connection.ts'
import {
  data,
  flags,
  frame,
  headers,
  preface,
  request,
  settings,
  settingsAck,
  types,
} from '../support/http2-frames.ts'
import { MemoryWire } from '../support/memory-wire.ts'

const head = headers(1, request())
const open = headers(1, request('POST'), false)
const headTimeoutMs = 10_000

test.each([
  ['a head', 'ends', [], head],
  ['trailers', 'ends', [open], head],
  ['a PING behind a request', 'ends', [open], frame(types.ping, 0, 0, Buffer.alloc(8))],
  // Its stream has a time of its own.
  ['content', 'leaves', [open], data(1, 'content')],
  ['content with padding', 'leaves', [open], frame(types.data, flags.padded, 1, '\x01content\0')],
] as const)('%s that does not come in 10 s %s the connection', (_, verdict, before, dripped) => {
  const clock = new ManualClock()
  const wire = new MemoryWire()
  const connection = new Http2ServerConnection(wire.wire, {
    ...quietOptions(),
    nowMs: clock.monotonicMs,
    headTimeoutMs,
    idleTimeoutMs: 3_600_000,
    streamIdleTimeoutMs: 300_000,
    connect: undefined,
    form: new HpackForm(),
    handler: () => undefined,
    onTunnel: () => undefined,
    onClosed: () => undefined,
  })
  wire.readInto(connection.session)
  const deliver = (bytes: Buffer): void => wire.deliver(bytes.latin1Slice())
  deliver(Buffer.concat([preface, settings(), settingsAck, ...before, dripped.subarray(0, 9)]))
  let overAtMs = 0
  for (let second = 1; second <= 60 && overAtMs === 0; second++) {
    if (9 + second < dripped.length) deliver(dripped.subarray(8 + second, 9 + second))
    clock.advance(1000)
    connection.onDeadline()
    if (connection.session.over) overAtMs = 1000 * second
  }
  expect(overAtMs).toBe(verdict === 'ends' ? headTimeoutMs + 1000 : 0)
})
