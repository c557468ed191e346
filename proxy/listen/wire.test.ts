/** Wires over TCP and TLS, past Node's streams and through them: all four promise the same. */
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { registerHooks } from 'node:module'
import net from 'node:net'
import tls from 'node:tls'
import v8 from 'node:v8'
import vm from 'node:vm'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Leaf, TestRoot } from '../identity/test-pki.ts'
import type { Wire, WireReader } from './wire.ts'

let leaf: Leaf
const cleanups: (() => void)[] = []

beforeAll(async () => {
  const root = await TestRoot.make()
  leaf = await root.leaf({ dns: ['wire.test'] })
})
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean()
})

type WireClass = typeof import('./wire.ts').Wire

/** The module as it is, or anew with all that it imports of this tree, on a Node that hides its stream handles. */
async function loadWire(pastStreams: boolean): Promise<WireClass> {
  if (pastStreams) return (await import('./wire.ts')).Wire
  const hidden = '?without-stream-handles'
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context)
      const isOurs = resolved.url.endsWith('.ts') && context.parentURL?.endsWith(hidden) === true
      return isOurs ? { ...resolved, url: resolved.url + hidden } : resolved
    },
  })
  const node = process as unknown as { binding: unknown }
  const { binding } = node
  node.binding = undefined
  try {
    return ((await import(new URL(`wire.ts${hidden}`, import.meta.url).href)) as { Wire: WireClass }).Wire
  } finally {
    node.binding = binding
    hooks.deregister()
  }
}

/** Records what a wire reads. */
class Recorder implements WireReader {
  received: Buffer[] = []
  ended = false
  closed = false
  drains = 0
  error: Error | undefined

  onBytes(buffer: Buffer, start: number, end: number): void {
    this.received.push(Buffer.from(buffer.subarray(start, end)))
  }

  onEnd(): void {
    this.ended = true
  }

  onClose(error: Error | undefined): void {
    this.closed = true
    this.error = error
  }

  onDrain(): void {
    this.drains++
  }

  get bytes(): Buffer {
    return Buffer.concat(this.received)
  }
}

type Pair = {
  readonly wire: Wire
  readonly reader: Recorder
  readonly socket: net.Socket
  readonly peer: net.Socket
}

function plainPair(WireNow: WireClass): Promise<Pair> {
  return new Promise((resolve) => {
    const server = net.createServer(
      { pauseOnConnect: true, allowHalfOpen: true, noDelay: true },
      (socket) => {
        server.close()
        resolve(ready(WireNow, socket, peer))
      },
    )
    let peer: net.Socket
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo
      peer = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    })
  })
}

function tlsPair(WireNow: WireClass): Promise<Pair> {
  return new Promise((resolve) => {
    const secure = { key: leaf.keyPem, cert: leaf.certificatePem }
    const halfOpen = { allowHalfOpen: true } as tls.TlsOptions
    const server = tls.createServer({ ...secure, ...halfOpen }, (socket) => {
      server.close()
      resolve(ready(WireNow, socket, peer))
    })
    let peer: tls.TLSSocket
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo
      const options = { port, host: '127.0.0.1', rejectUnauthorized: false, allowHalfOpen: true }
      peer = tls.connect(options)
    })
  })
}

function ready(WireNow: WireClass, socket: net.Socket, peer: net.Socket): Pair {
  const wire = WireNow.over(socket)
  const reader = new Recorder()
  peer.on('error', () => undefined)
  wire.readInto(reader)
  cleanups.push(
    () => wire.destroy(),
    () => peer.destroy(),
  )
  return { wire, reader, socket, peer }
}

/** Collects what `peer` is sent. */
function collect(peer: net.Socket): () => Buffer {
  const pieces: Buffer[] = []
  peer.on('data', (piece: Buffer) => pieces.push(piece))
  return () => Buffer.concat(pieces)
}

function pattern(bytes: number): Buffer {
  const made = Buffer.alloc(bytes)
  for (let i = 0; i < bytes; i++) made[i] = (i * 31 + (i >> 8)) & 0xff
  return made
}

v8.setFlagsFromString('--expose-gc')
const collectGarbage = vm.runInNewContext('gc') as () => void

const kinds = [
  { name: 'TCP past the streams', pastStreams: true, connect: plainPair },
  { name: 'TCP through the streams', pastStreams: false, connect: plainPair },
  { name: 'TLS past the streams', pastStreams: true, connect: tlsPair },
  { name: 'TLS through the streams', pastStreams: false, connect: tlsPair },
]

describe.each(kinds)('$name', ({ connect, pastStreams }) => {
  let WireNow: WireClass
  beforeAll(async () => {
    WireNow = await loadWire(pastStreams)
  })

  test('reads at the handle where Node shows it, and else through the socket', async () => {
    const { socket } = await connect(WireNow)
    const { _handle: handle } = socket as unknown as { _handle: { onread: { name: string } } }
    expect(handle.onread.name === 'readInto').toBe(pastStreams)
  })

  test('what is written in one turn leaves at its end, in order', async () => {
    const { wire, peer } = await connect(WireNow)
    const text = collect(peer)
    wire.writeText('a\xe9')
    wire.writeBytes(Buffer.from('bc'))
    wire.writeText('d')
    expect(wire.unsentBytes).toBe(5)
    await expect.poll(() => text().latin1Slice()).toBe('a\xe9bcd')
    await expect.poll(() => wire.unsentBytes).toBe(0)
    expect(wire.takenBytes).toBe(5)
  })

  test('however many are written to in one turn, nobody is forgotten in the next', async () => {
    const pairs: Pair[] = []
    for (let i = 0; i < 70; i++) pairs.push(await connect(WireNow))
    const texts = pairs.map(({ peer }) => collect(peer))
    for (const word of ['first ', 'second']) {
      for (const { wire } of pairs) wire.writeText(word)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await expect
      .poll(() => texts.filter((text) => text().latin1Slice() === 'first second').length)
      .toBe(pairs.length)
  })

  test('a reader that is slow is waited for, and nothing is lost', async () => {
    const { wire, reader, peer } = await connect(WireNow)
    peer.pause()
    const sent = pattern(64 * 1024)
    let writes = 0
    while (wire.writeBytes(sent) && writes < 1000) {
      writes++
      await new Promise((resolve) => setImmediate(resolve))
    }
    writes++
    expect(writes).toBeLessThan(1000)
    expect(reader.drains).toBe(0)
    const text = collect(peer)
    peer.resume()
    await expect.poll(() => reader.drains).toBe(1)
    await expect.poll(() => text().length).toBe(writes * sent.length)
    expect(text().equals(Buffer.concat(Array.from({ length: writes }, () => sent)))).toBe(true)
  })

  test('content that comes byte by byte and has to wait takes the memory of its bytes, and stays in order', async () => {
    const { wire, peer } = await connect(WireNow)
    peer.pause()
    const sent = pattern(64 * 1024)
    let before = 0
    while (wire.writeBytes(sent) && before < 1000 * sent.length) {
      before += sent.length
      await new Promise((resolve) => setImmediate(resolve))
    }
    before += sent.length
    // What is under way has been handed over: from here on everything waits.
    await new Promise((resolve) => setImmediate(resolve))
    const memory = (): number => {
      collectGarbage()
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      return heapUsed + arrayBuffers
    }
    const crumbs = pattern(100_000)
    const takenBefore = memory()
    for (let i = 0; i < crumbs.length; i++) wire.writeBytes(crumbs.subarray(i, i + 1))
    if (pastStreams) expect(memory() - takenBefore).toBeLessThan(4 * 1024 * 1024)
    const text = collect(peer)
    peer.resume()
    await expect.poll(() => text().length).toBe(before + crumbs.length)
    expect(text().subarray(before).equals(crumbs)).toBe(true)
  })

  test('whoever waits for room is told, whatever leaves first', async () => {
    const { wire, reader, peer } = await connect(WireNow)
    let received = 0
    peer.on('data', (piece: Buffer) => {
      received += piece.length
    })
    const sizes = Array.from({ length: 2000 }, (_, i) => 20_000 + ((i * 7919) % 40_000))
    let written = 0
    for (const size of sizes) {
      const { drains } = reader
      written += size
      const room = wire.writeBytes(Buffer.alloc(size))
      if (room) await new Promise((resolve) => setImmediate(resolve))
      else await expect.poll(() => reader.drains, { interval: 1 }).toBeGreaterThan(drains)
    }
    await expect.poll(() => received).toBe(written)
  })

  test('nothing, written, is nothing', async () => {
    const { wire, peer } = await connect(WireNow)
    const text = collect(peer)
    for (const piece of ['', 'a', '', 'b']) {
      expect(wire.writeText(piece)).toBe(true)
      expect(wire.writeBytes(Buffer.from(piece))).toBe(true)
      wire.flush()
    }
    await expect.poll(() => text().latin1Slice()).toBe('aabb')
    expect(wire.takenBytes).toBe(4)
  })

  test('what is written may change after the call, also while its reader is slow', async () => {
    const { wire, peer } = await connect(WireNow)
    peer.pause()
    const sizes = Array.from({ length: 300 }, (_, i) => [100, 5000, 16_000, 60_000][i % 4] as number)
    const reused = Buffer.alloc(60_000)
    for (const [i, size] of sizes.entries()) {
      wire.writeBytes(reused.fill(i % 251, 0, size).subarray(0, size))
      if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    const text = collect(peer)
    peer.resume()
    const expected = Buffer.concat(sizes.map((size, i) => Buffer.alloc(size, i % 251)))
    await expect.poll(() => text().length).toBe(expected.length)
    expect(text().equals(expected)).toBe(true)
  })

  test('an end comes after everything that was written before it, and nothing after it', async () => {
    const { wire, peer } = await connect(WireNow)
    peer.pause()
    const sent = pattern(4 * 1024 * 1024)
    wire.writeBytes(sent)
    wire.writeText('last')
    wire.end()
    wire.writeText('too late')
    const text = collect(peer)
    const ended = once(peer, 'end')
    peer.resume()
    await ended
    expect(text().length).toBe(sent.length + 4)
    expect(
      text()
        .subarray(-8)
        .equals(Buffer.concat([sent.subarray(-4), Buffer.from('last')])),
    ).toBe(true)
  })

  test('after the peer has ended it can still be written to', async () => {
    const { wire, reader, peer } = await connect(WireNow)
    const text = collect(peer)
    peer.end('request')
    await expect.poll(() => reader.ended).toBe(true)
    expect(reader.bytes.latin1Slice()).toBe('request')
    wire.writeText('reply')
    wire.end()
    await once(peer, 'end')
    expect(text().latin1Slice()).toBe('reply')
  })

  test('a peer that is gone is told to the reader, also when only writing shows it', async () => {
    const { wire, reader, peer } = await connect(WireNow)
    peer.end()
    await expect.poll(() => reader.ended).toBe(true)
    peer.destroy()
    await expect
      .poll(() => {
        wire.writeText('x'.repeat(1000))
        return reader.closed
      })
      .toBe(true)
    expect(wire.writeText('after')).toBe(true)
  })

  test('a pause holds what comes until it is over', async () => {
    const { wire, reader, peer } = await connect(WireNow)
    peer.write('first')
    await expect.poll(() => reader.bytes.latin1Slice()).toBe('first')
    wire.pause()
    const sent = pattern(2 * 1024 * 1024)
    peer.write(sent)
    // More than a turn, and more than TLS has decrypted already.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    const before = reader.bytes.length
    expect(before).toBeLessThan(sent.length)
    wire.resume()
    await expect.poll(() => reader.bytes.length).toBe(5 + sent.length)
    expect(reader.bytes.subarray(5).equals(sent)).toBe(true)
  })

  test('a reset right after an end closes, too', async () => {
    const { wire, reader, peer } = await connect(WireNow)
    peer.resume()
    wire.end()
    wire.reset()
    await expect.poll(() => reader.closed).toBe(true)
    await expect.poll(() => peer.readableEnded || peer.destroyed).toBe(true)
  })

  test('a reset is seen as broken, not as an end', async () => {
    const { wire, peer } = await connect(WireNow)
    const failed = new Promise((resolve) => peer.once('error', resolve))
    let ended = false
    peer.on('end', () => {
      ended = true
    })
    peer.resume()
    wire.reset()
    expect(await failed).toMatchObject({ code: 'ECONNRESET' })
    expect(ended).toBe(false)
  })
})
