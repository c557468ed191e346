/** What a client may send on a connection where much stands still: windows, credit, and their bounds. */
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import type { Body } from '../../proxy/body.ts'
import { HpackForm } from '../../proxy/http2/hpack-form.ts'
import { Http2ServerConnection } from '../../proxy/http2/server-connection.ts'
import { Admission } from '../../proxy/overload/admission.ts'
import { downstream } from '../../proxy/test-exchange.ts'
import { FrameSplitter } from '../fuzz/http2-frames.ts'
import { turn } from '../fuzz/weft-parser.ts'
import { data, headers, preface, request, settings, settingsAck, types } from '../support/http2-frames.ts'
import { MemoryWire } from '../support/memory-wire.ts'

const frameContent = 'x'.repeat(16_384)

/** A client by hand, towards a server whose requests are read only when a test says so. */
class Uploads {
  readonly clock = new ManualClock()
  readonly bodies: Body[] = []
  /** Of each stream, and of the connection as 0: how much the windows were opened. */
  readonly opened = new Map<number, number>()
  /** INITIAL_WINDOW_SIZE, as often as it was set. */
  readonly initial: number[] = []
  readonly wire = new MemoryWire()
  readonly #connection: Http2ServerConnection
  readonly #splitter = new FrameSplitter()
  #readTo = 0
  #reading = false
  #fresh = true

  constructor(principal: string | undefined) {
    this.#connection = new Http2ServerConnection(this.wire.wire, {
      connect: undefined,
      form: new HpackForm(),
      handler: (x) => {
        this.bodies.push(x.body)
        const write = (): boolean =>
          this.#reading || x.target === '/read' || (x.target === '/at-first' && this.#fresh)
        x.body.start({ write, end: () => undefined, abort: () => undefined })
      },
      downstream: { ...downstream, principal },
      admission: new Admission(),
      nowMs: this.clock.monotonicMs,
      headTimeoutMs: 60_000,
      idleTimeoutMs: 60_000,
      streamIdleTimeoutMs: 60_000,
      onViolation: () => undefined,
      onFlag: () => undefined,
      onTunnel: () => undefined,
      onClosed: () => undefined,
    })
    this.wire.readInto(this.#connection.session)
    this.#deliver(preface, settings(), settingsAck)
  }

  /** Opens stream `id` and sends as many full frames. */
  upload(id: number, frames: number, path = '/'): void {
    this.#deliver(headers(id, request('POST', path), false))
    this.more(id, frames)
  }

  more(id: number, frames: number): void {
    for (let i = 0; i < frames; i++) this.#deliver(data(id, frameContent, false))
  }

  /** What is read at first stands still from now on. */
  stall(): void {
    this.#fresh = false
  }

  acknowledge(): void {
    this.#deliver(settingsAck)
  }

  /** From now on everything moves on, what has come to rest as well. */
  read(): void {
    this.#reading = true
    for (const body of this.bodies) body.resume()
  }

  /** A second passes, and the connection is looked at. */
  async look(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      this.clock.advance(1000)
      this.#connection.onDeadline()
    }
    await this.settle()
  }

  async settle(): Promise<void> {
    await turn()
    const written = Buffer.from(this.wire.written.slice(this.#readTo), 'latin1')
    this.#readTo = this.wire.written.length
    for (const { type, stream, flags, payload } of this.#splitter.take(written)) {
      if (type === types.window)
        this.opened.set(stream, (this.opened.get(stream) ?? 0) + payload.readUInt32BE(0))
      if (type !== types.settings || flags !== 0) continue
      for (let at = 0; at < payload.length; at += 6)
        if (payload.readUInt16BE(at) === 4) this.initial.push(payload.readUInt32BE(at + 2))
    }
  }

  destroy(): void {
    this.#connection.destroy()
  }

  #deliver(...pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.wire.deliver(piece.latin1Slice())
  }
}

const mebibyte = 1024 * 1024
/** INITIAL_WINDOW_SIZE, and what it is lowered to. */
const atFirst = 16 * 16_393
const lowered = 16_393
/** Frames that all but fill a window. */
const full = 16

describe('requests that nobody reads', () => {
  test('lower the window of every stream once they hold 8 MiB, and raise it when they have gone', async () => {
    const client = new Uploads('spiffe://cluster.local/ns/a/sa/b')
    for (let id = 1; id <= 63; id += 2) client.upload(id, full)
    await client.settle()
    expect(client.initial).toEqual([atFirst])
    client.upload(65, 1)
    await client.settle()
    expect(client.initial).toEqual([atFirst, lowered])
    client.acknowledge()
    await client.look(1)
    client.read()
    await client.settle()
    expect(client.initial).toEqual([atFirst, lowered, atFirst])
    // What was held is credited, so that the client's windows are as large as they were.
    for (let id = 1; id <= 63; id += 2)
      expect(client.opened.get(id)).toBeGreaterThanOrEqual(full * frameContent.length)
    client.destroy()
  })

  test('leave the connection its credit', async () => {
    const client = new Uploads('spiffe://cluster.local/ns/a/sa/b')
    for (let id = 1; id <= 199; id += 2) client.upload(id, full)
    await client.settle()
    const sent = 100 * full * frameContent.length
    // All but what is not worth a frame yet, beside what a connection is opened by at first.
    expect(client.opened.get(0)).toBeGreaterThan(sent - mebibyte)
    client.destroy()
  })

  test('let one that is read go on, with its smaller window', async () => {
    const client = new Uploads('spiffe://cluster.local/ns/a/sa/b')
    for (let id = 1; id <= 67; id += 2) client.upload(id, full)
    await client.settle()
    client.acknowledge()
    client.read()
    client.upload(69, 1)
    await client.settle()
    expect(client.opened.get(69)).toBeGreaterThanOrEqual(frameContent.length)
    client.destroy()
  })

  test('leave none without credit whose window is lowered below what it has sent', async () => {
    const client = new Uploads('spiffe://cluster.local/ns/a/sa/b')
    client.upload(1, full / 2 - 1, '/read')
    await client.settle()
    expect(client.opened.get(1)).toBeUndefined()
    for (let id = 3; id <= 67; id += 2) client.upload(id, full)
    await client.settle()
    expect(client.initial).toEqual([atFirst, lowered])
    expect(client.opened.get(1)).toBeGreaterThanOrEqual((full / 2 - 1) * frameContent.length)
    client.destroy()
  })

  test('leave the connection its credit where all were read when windows were small already', async () => {
    const client = new Uploads(undefined)
    for (let id = 1; id <= 67; id += 2) client.upload(id, full)
    await client.settle()
    client.acknowledge()
    const ids = Array.from({ length: 80 }, (_, i) => 69 + 2 * i)
    const frames = new Map(ids.map((id) => [id, 1]))
    for (const id of ids) client.upload(id, 1, '/at-first')
    for (let round = 0; round < 20; round++) {
      if (round === 10) client.stall()
      await client.settle()
      for (const [id, sent] of frames) {
        const window = lowered + (client.opened.get(id) ?? 0) - sent * frameContent.length
        const more = Math.floor(window / frameContent.length)
        client.more(id, more)
        frames.set(id, sent + more)
      }
    }
    await client.settle()
    const sent = 34 * full + [...frames.values()].reduce((sum, count) => sum + count, 0)
    expect(sent).toBeGreaterThan(34 * full + 10 * ids.length)
    expect(client.opened.get(0)).toBeGreaterThan(sent * frameContent.length - mebibyte)
    client.destroy()
  })

  test('stop the connection of a client without an identity at 16 MiB', async () => {
    const client = new Uploads(undefined)
    for (let i = 0; i < 100; i++) client.upload(2 * i + 1, full)
    await client.settle()
    expect(client.opened.get(0)).toBeLessThan(18 * mebibyte)
    client.destroy()
  })
})

test.each([
  ['another sidecar', 'spiffe://cluster.local/ns/a/sa/b', 1000],
  ['anybody else', undefined, 256],
] as const)('streams of %s that stand still leave room for others, up to its limit', (_, principal, most) => {
  const client = new Uploads(principal)
  for (let i = 0; i < 1100; i++) client.upload(2 * i + 1, 0)
  expect(client.bodies.length).toBe(most)
  client.destroy()
})

test('a change of the windows that is never acknowledged ends the connection after 10 s, and no sooner', async () => {
  const client = new Uploads('spiffe://cluster.local/ns/a/sa/b')
  await client.look(60)
  for (let id = 1; id <= 67; id += 2) client.upload(id, full)
  await client.look(9)
  expect(client.wire.state).toBe('open')
  await client.look(2)
  expect(client.wire.state).not.toBe('open')
  client.destroy()
})
