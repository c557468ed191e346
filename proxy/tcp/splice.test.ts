import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import net from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { Wire } from '../listen/wire.ts'
import { Splice, type SpliceStats } from './splice.ts'

const timeoutMs = 60_000
const noBytes = Buffer.alloc(0)

/** The far end of one of the two joined connections. */
class Peer {
  readonly socket: net.Socket
  text = ''
  ended = false
  closed = false
  reset = false

  constructor(socket: net.Socket) {
    this.socket = socket
    socket.on('data', (piece) => {
      this.text += piece.toString('latin1')
    })
    socket.on('end', () => {
      this.ended = true
    })
    socket.on('error', () => {
      this.reset = true
    })
    socket.on('close', () => {
      this.closed = true
    })
  }
}

let clock: ManualClock
let servers: net.Server[]
let client: Peer
let upstream: Peer
let splice: Splice
/** What was told at the end of the joined connections of this test. */
let closed: SpliceStats[]

/** Both ends of a connection over loopback: ours as a wire, theirs as a peer. */
async function connection(): Promise<{ readonly wire: Wire; readonly peer: Peer }> {
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  const accepted = once(server, 'connection') as Promise<[net.Socket]>
  const peer = new Peer(net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }))
  const [socket] = await accepted
  return { wire: Wire.over(socket), peer }
}

function spliceOf(ofClient: Wire, ofUpstream: Wire): Splice {
  const told = closed
  const idle = { nowMs: clock.monotonicMs, timeoutMs }
  return new Splice(ofClient, ofUpstream, idle, (_splice, stats) => told.push(stats))
}

async function join(toUpstream = noBytes, toClient = noBytes): Promise<void> {
  const [ofClient, ofUpstream] = [await connection(), await connection()]
  client = ofClient.peer
  upstream = ofUpstream.peer
  splice = spliceOf(ofClient.wire, ofUpstream.wire)
  splice.start(toUpstream, toClient)
}

beforeEach(() => {
  clock = new ManualClock()
  servers = []
  closed = []
})
afterEach(() => {
  splice.destroy()
  for (const peer of [client, upstream]) peer.socket.destroy()
  for (const server of servers) server.close()
})

describe('two connections that are joined', () => {
  it('carry bytes both ways, those read before first, and count them', async () => {
    await join(Buffer.from('early '), Buffer.from('hello '))
    client.socket.write('question')
    upstream.socket.write('answer')
    await expect.poll(() => upstream.text).toBe('early question')
    await expect.poll(() => client.text).toBe('hello answer')
    client.socket.end()
    upstream.socket.end()
    await expect.poll(() => closed).toEqual([{ toUpstreamBytes: 14, toClientBytes: 12, end: 'complete' }])
  })

  it('keep a half-close: the other direction goes on', async () => {
    await join()
    client.socket.end('all I have')
    await expect.poll(() => upstream.ended).toBe(true)
    expect(upstream.text).toBe('all I have')
    expect(client.ended).toBe(false)
    upstream.socket.end('the long answer')
    await expect.poll(() => client.closed).toBe(true)
    expect(client.text).toBe('the long answer')
    expect([client.reset, upstream.reset]).toEqual([false, false])
  })

  it.each(['client', 'upstream'] as const)(
    'pass on that the %s broke off, and not as an end',
    async (side) => {
      await join()
      client.socket.write('x')
      await expect.poll(() => upstream.text).toBe('x')
      const [broken, other] = side === 'client' ? [client, upstream] : [upstream, client]
      broken.socket.resetAndDestroy()
      await expect.poll(() => other.closed).toBe(true)
      expect(other.reset).toBe(true)
      await expect.poll(() => closed.map(({ end }) => end)).toEqual([side])
    },
  )

  it.each(['client', 'upstream'] as const)('end at once when the %s had gone before', async (side) => {
    const [ofClient, ofUpstream] = [await connection(), await connection()]
    client = ofClient.peer
    upstream = ofUpstream.peer
    const gone = (side === 'client' ? ofClient : ofUpstream).wire
    const told = once(gone.socket, 'close')
    gone.destroy()
    await told
    splice = spliceOf(ofClient.wire, ofUpstream.wire)
    splice.start(Buffer.from('early'), noBytes)
    await expect.poll(() => closed.map(({ end }) => end)).toEqual([side])
    await expect.poll(() => (side === 'client' ? upstream : client).reset).toBe(true)
  })

  it('do not take in more than the other side reads', async () => {
    await join()
    upstream.socket.pause()
    const piece = Buffer.alloc(1024 * 1024)
    for (let i = 0; i < 64; i++) client.socket.write(piece)
    let before = -1
    // Until nothing moves any more: buffers of ours and of the kernel's are full.
    await expect
      .poll(
        () => {
          const same = client.socket.writableLength === before
          before = client.socket.writableLength
          return same
        },
        { interval: 200, timeout: 10_000 },
      )
      .toBe(true)
    expect(before).toBeGreaterThan(32 * piece.length)
    upstream.socket.resume()
    await expect.poll(() => upstream.text.length, { timeout: 20_000 }).toBe(64 * piece.length)
  })

  it('are cut when neither side sent a byte for the timeout, and not while one does', async () => {
    await join()
    for (let i = 0; i < 3; i++) {
      client.socket.write('x')
      await expect.poll(() => upstream.text.length).toBe(i + 1)
      clock.advance(timeoutMs)
      splice.onDeadline()
      expect(splice.deadlineMs).toBe(clock.monotonicMs() + timeoutMs)
    }
    clock.advance(timeoutMs)
    splice.onDeadline()
    await expect.poll(() => [client.ended, upstream.ended]).toEqual([true, true])
    await expect.poll(() => closed.length).toBe(1)
    await expect.poll(() => closed.map(({ end }) => end)).toEqual(['idle'])
  })

  it('know of an end that came before they were joined', async () => {
    const [ofClient, ofUpstream] = [await connection(), await connection()]
    client = ofClient.peer
    upstream = ofUpstream.peer
    const seen = Promise.withResolvers<void>()
    let early = ''
    ofClient.wire.readInto({
      onBytes: (buffer, start, end) => {
        early += buffer.toString('latin1', start, end)
      },
      onEnd: () => seen.resolve(),
      onClose: () => undefined,
      onDrain: () => undefined,
    })
    client.socket.end('only this')
    await seen.promise
    splice = spliceOf(ofClient.wire, ofUpstream.wire)
    splice.start(Buffer.from(early, 'latin1'), noBytes)
    await expect.poll(() => upstream.ended).toBe(true)
    expect(upstream.text).toBe('only this')
  })
})
