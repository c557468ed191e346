/** The states that a real client reaches only with luck: what becomes of a reply that is on its way for long. */
import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { Body } from '../body.ts'
import { type Downstream, type Exchange, Reply } from '../exchange.ts'
import type { Wire } from '../listen/wire.ts'
import { Admission } from '../overload/admission.ts'
import { collectGarbage } from '../overload/process-limits.ts'
import { HeaderList } from '../header-list.ts'
import { ServerConnection } from './server-connection.ts'

const keptRequest = Buffer.from('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
const closingRequest = Buffer.from('GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n')
const streamIdleTimeoutMs = 300_000

/** A wire whose client reads what the test says. */
class StubWire {
  closed = false
  unsentBytes = 0
  takenBytes = 0
  cut: 'destroyed' | 'reset' | undefined
  room = true
  ended = false

  writeText(text: string): boolean {
    this.unsentBytes += text.length
    return this.room
  }

  writeBytes(bytes: Buffer): boolean {
    this.unsentBytes += bytes.length
    return true
  }

  clientReads(bytes: number): void {
    this.unsentBytes -= bytes
    this.takenBytes += bytes
  }

  destroy(): void {
    this.cut = 'destroyed'
  }

  reset(): void {
    this.cut = 'reset'
  }

  pause(): void {}
  resume(): void {}

  end(): void {
    this.ended = true
  }
}

type Served = {
  readonly connection: ServerConnection
  readonly wire: StubWire
  readonly advance: (ms: number) => void
}

function serve(
  body: Body,
  request: Buffer = closingRequest,
  answer: (x: Exchange) => Body = () => body,
): Served {
  const clock = new ManualClock()
  const wire = new StubWire()
  const connection = new ServerConnection(wire as unknown as Wire, {
    handler: (x, receiver) => {
      const content = answer(x)
      const headers = HeaderList.of('Content-Length', String(content.length))
      receiver.onReply(x, new Reply(200, 'OK', headers, content))
    },
    connect: undefined,
    downstream: { meshTls: false } as Downstream,
    admission: new Admission(),
    nowMs: clock.monotonicMs,
    headTimeoutMs: 10_000,
    idleTimeoutMs: 3_600_000,
    streamIdleTimeoutMs,
    onViolation: () => undefined,
    onTunnel: () => undefined,
    onFlag: () => undefined,
    onClosed: () => undefined,
  })
  connection.onBytes(request, 0, request.length)
  /** As the sweep does it. */
  const advance = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 500) {
      clock.advance(500)
      if (connection.deadlineMs <= clock.monotonicMs()) connection.onDeadline()
    }
  }
  return { connection, wire, advance }
}

/** A body of which one piece has arrived, and the rest will not. */
function openBody(): Body {
  const body = new Body(1_000_000, undefined)
  body.push(Buffer.alloc(10_000))
  return body
}

test('a reply that closes the connection is waited for while the client reads it, and 1 s longer', () => {
  const { wire, advance } = serve(Body.of('x'.repeat(1000)))
  for (let i = 0; i < 10; i++) {
    advance(60_000)
    expect(wire.cut).toBeUndefined()
    wire.clientReads(50)
  }
  wire.clientReads(wire.unsentBytes)
  advance(1000)
  expect(wire.cut).toBeUndefined()
  advance(2000)
  expect(wire.cut).toBe('destroyed')
})

test('a reply that closes the connection is given up when the client has stopped reading', () => {
  const { wire, advance } = serve(Body.of('x'.repeat(1000)))
  wire.clientReads(50)
  advance(streamIdleTimeoutMs - 1000)
  expect(wire.cut).toBeUndefined()
  advance(5000)
  expect(wire.cut).toBe('destroyed')
})

test('a streamed reply is not cut while the client reads, however slowly', () => {
  const { wire, advance } = serve(openBody())
  for (let i = 0; i < 10; i++) {
    wire.clientReads(10)
    advance(streamIdleTimeoutMs)
  }
  expect(wire.cut).toBeUndefined()
})

test('a streamed reply is not cut while it is the application that pauses', () => {
  const { wire, advance } = serve(openBody())
  wire.clientReads(wire.unsentBytes)
  advance(20 * streamIdleTimeoutMs)
  expect(wire.cut).toBeUndefined()
})

test('a streamed reply that nobody reads is cut', () => {
  const { wire, advance } = serve(openBody())
  advance(streamIdleTimeoutMs - 1000)
  expect(wire.cut).toBeUndefined()
  advance(2000)
  expect(wire.cut).toBe('reset')
})

/** Without what other tests of this process have left behind. */
function collectedHeapBytes(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

test('pipelined bytes that come one by one cost no more than those that come together', () => {
  const { connection } = serve(openBody(), keptRequest)
  const byte = Buffer.from('a')
  const before = collectedHeapBytes()
  for (let i = 0; i < 60_000; i++) connection.onBytes(byte, 0, 1)
  // A Buffer of its own for each would be 6 MB and more.
  expect(collectedHeapBytes() - before).toBeLessThan(3_000_000)
  // Held until here, with what it holds.
  connection.onClose()
})

function get(path: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: app.test\r\n\r\n`)
}

/** Answers at once with the path; says which were asked for. */
function serveEcho(): Served & { readonly asked: string[] } {
  const asked: string[] = []
  const served = serve(Body.empty, get('/0'), (x) => {
    asked.push(x.target)
    return Body.of(x.target)
  })
  return { ...served, asked }
}

/** As they come when a wire hands out what waited while it was paused: one after the other, and no microtask between. */
function deliver(connection: ServerConnection, ...reads: readonly Buffer[]): void {
  for (const read of reads) connection.onBytes(read, 0, read.length)
}

test('what comes before a pipelined request had its turn waits behind it', async () => {
  const { connection, asked } = serveEcho()
  deliver(
    connection,
    Buffer.concat([get('/1'), get('/2'), get('/3').subarray(0, 10)]),
    get('/3').subarray(10),
  )
  await expect.poll(() => asked).toEqual(['/0', '/1', '/2', '/3'])
})

test('an end that comes before a pipelined request had its turn takes nothing from it', async () => {
  const { connection, asked, wire } = serveEcho()
  deliver(connection, Buffer.concat([get('/1'), get('/2'), get('/3')]))
  connection.onEnd()
  await expect.poll(() => wire.ended).toBe(true)
  expect(asked).toEqual(['/0', '/1', '/2', '/3'])
})

test('an end that comes while the client does not read takes nothing from what it had pipelined', async () => {
  const { connection, asked, wire } = serveEcho()
  wire.room = false
  deliver(connection, Buffer.concat([get('/1'), get('/2')]))
  connection.onEnd()
  await new Promise((resolve) => setImmediate(resolve))
  expect(asked).toEqual(['/0', '/1'])
  wire.room = true
  connection.onDrain()
  await expect.poll(() => wire.ended).toBe(true)
  expect(asked).toEqual(['/0', '/1', '/2'])
})
