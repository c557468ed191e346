/** When a sidecar takes another one for dead that has a request of it: by a PING that is not answered, and by nothing else. */
import { expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { Http2ClientConnection } from '../../proxy/http2/client-connection.ts'
import { HpackForm } from '../../proxy/http2/hpack-form.ts'
import { testExchange } from '../../proxy/test-exchange.ts'
import { FrameSplitter } from '../fuzz/http2-frames.ts'
import { turn } from '../fuzz/weft-parser.ts'
import { flags, frame, settings, settingsAck, types } from '../support/http2-frames.ts'
import { MemoryWire } from '../support/memory-wire.ts'

const prefaceBytes = 24

function waiting() {
  const clock = new ManualClock()
  const memory = new MemoryWire()
  const connection = new Http2ClientConnection(memory.wire, new HpackForm(), true, clock.monotonicMs, {
    onReady: () => undefined,
    onStreamOver: () => undefined,
    onSettings: () => undefined,
    onWorn: () => undefined,
    onDraining: () => undefined,
    onClosed: () => undefined,
  })
  const deliver = (...frames: readonly Buffer[]): void => {
    for (const each of frames) memory.deliver(each.latin1Slice())
  }
  deliver(settings(), settingsAck)
  connection.send(testExchange(), { onReply: () => undefined, onFailure: () => undefined })
  const sweep = (ms: number): void => {
    clock.advance(ms)
    connection.sweep(clock.monotonicMs())
  }
  const pings = async (): Promise<number> => {
    await turn()
    const written = Buffer.from(memory.written.slice(prefaceBytes), 'latin1')
    return new FrameSplitter().take(written).filter(({ type }) => type === types.ping).length
  }
  sweep(1000)
  return { deliver, sweep, pings, memory }
}

test('it is asked after 30 s without a byte, and dead after 20 s more without one', async () => {
  const { sweep, pings, memory } = waiting()
  sweep(29_000)
  expect(await pings()).toBe(0)
  sweep(1000)
  expect(await pings()).toBe(1)
  sweep(19_000)
  expect(memory.state).toBe('open')
  sweep(1000)
  expect(memory.state).toBe('destroyed')
})

test('it lives when it answers', async () => {
  const { deliver, sweep, pings, memory } = waiting()
  for (let round = 1; round <= 3; round++) {
    sweep(30_000)
    expect(await pings()).toBe(round)
    sweep(19_000)
    deliver(frame(types.ping, flags.ack, 0, Buffer.alloc(8)))
    sweep(1000)
  }
  expect(memory.state).toBe('open')
})

test('it is asked first where we ourselves stood still for longer than both', async () => {
  const { sweep, pings, memory } = waiting()
  sweep(120_000)
  expect(await pings()).toBe(1)
  expect(memory.state).toBe('open')
})
