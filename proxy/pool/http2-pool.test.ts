import http2 from 'node:http2'
import net from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import type { Exchange, Reply } from '../exchange.ts'
import { headForm } from '../http2/head-forms.ts'
import { testExchange } from '../test-exchange.ts'
import { UpstreamFailure } from '../upstream-failure.ts'
import { ConnectionCount } from './connection-count.ts'
import { dialPlain } from './dial.ts'
import type { PoolStats } from './http1-pool.ts'
import { Http2Pool } from './http2-pool.ts'

type Outcome = Reply | UpstreamFailure | 'not spoken'
type Sent = { readonly x: Exchange; readonly outcome: Promise<Outcome>; readonly opened: () => boolean }

const stops: (() => void)[] = []
const counts = (): PoolStats => ({ opened: 0, failed: 0, reused: 0, open: 0, idle: 0 })

afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

async function listen(server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stops.push(() => server.close())
  return (server.address() as net.AddressInfo).port
}

/** A server that keeps every stream until it is told to answer. */
async function startServer(
  maxConcurrentStreams: number,
  onSession: (session: http2.ServerHttp2Session) => void = () => undefined,
) {
  const streams: http2.ServerHttp2Stream[] = []
  const sessions = new Set<http2.ServerHttp2Session>()
  const server = http2.createServer({ settings: { maxConcurrentStreams } })
  server.on('session', (session) => {
    sessions.add(session)
    onSession(session)
    session.on('error', () => undefined)
    stops.push(() => session.destroy())
  })
  server.on('stream', (stream: http2.ServerHttp2Stream) => {
    stream.on('error', () => undefined)
    streams.push(stream)
  })
  return { port: await listen(server as unknown as net.Server), streams, sessions }
}

function poolFor(port: number, maxConnections = Number.POSITIVE_INFINITY) {
  const clock = new ManualClock()
  const connections = new ConnectionCount()
  const stats = counts()
  const pool = new Http2Pool({
    dial: () => dialPlain('127.0.0.1', port, 1_000, clock),
    makeForm: () => headForm('weft-h2'),
    clock,
    settingsTimeoutMs: () => 1_000,
    idleTimeoutMs: 4_000,
    maxConnections: () => maxConnections,
    connections,
    stats,
  })
  stops.push(() => pool.drain())
  return { pool, clock, connections, stats }
}

function send(pool: Http2Pool): Sent {
  const x = testExchange()
  let opened = false
  const outcome = new Promise<Outcome>((resolve) => {
    pool.send(x, {
      onReply: (_x, reply) => resolve(reply),
      onFailure: (_x, error) => resolve(error as UpstreamFailure),
      onNotSpoken: () => resolve('not spoken'),
      onOpened: () => {
        opened = true
      },
    })
  })
  return { x, outcome, opened: () => opened }
}

describe('Http2Pool', () => {
  it('opens one connection for all who come at once', async () => {
    const { port, streams, sessions } = await startServer(100)
    const { pool, stats, connections } = poolFor(port)
    const sent = Array.from({ length: 20 }, () => send(pool))
    await expect.poll(() => streams.length).toBe(20)
    expect(sessions.size).toBe(1)
    expect(sent.every(({ opened }) => opened())).toBe(true)
    expect(connections.busy).toBe(1)
    for (const stream of streams) stream.respond({ ':status': 204 }, { endStream: true })
    for (const { outcome } of sent) expect(((await outcome) as Reply).status).toBe(204)
    expect(stats).toMatchObject({ opened: 1, open: 1, idle: 1 })
    expect(connections.idle).toBe(1)
  })

  it('opens another when the streams of the first run out, up to the limit, and lets the rest wait', async () => {
    const { port, streams, sessions } = await startServer(2)
    const { pool } = poolFor(port, 2)
    const sent = Array.from({ length: 7 }, () => send(pool))
    await expect.poll(() => streams.length).toBe(4)
    expect(sessions.size).toBe(2)
    const answered = new Set<http2.ServerHttp2Stream>()
    while (answered.size < 7) {
      await expect.poll(() => streams.length).toBeGreaterThan(answered.size)
      for (const stream of streams.filter((one) => !answered.has(one))) {
        answered.add(stream)
        stream.respond({ ':status': 204 }, { endStream: true })
      }
    }
    for (const { outcome } of sent) expect(((await outcome) as Reply).status).toBe(204)
    expect(sessions.size).toBe(2)
  })

  it('forgets who waits and leaves, before anything of that is sent', async () => {
    const { port, streams } = await startServer(1)
    const { pool } = poolFor(port, 1)
    const sent = Array.from({ length: 5 }, () => send(pool))
    await expect.poll(() => streams.length).toBe(1)
    for (const { x } of sent) x.abort(new Error('gone'))
    for (const { outcome } of sent) expect(((await outcome) as UpstreamFailure).kind).toBe('cancelled')
    await expect.poll(() => streams[0]?.closed).toBe(true)
    expect(streams.length).toBe(1)
  })

  it('counts a stream that was called off as open for a while', async () => {
    const { port, streams } = await startServer(1)
    const { pool, clock } = poolFor(port, 1)
    const first = send(pool)
    await expect.poll(() => streams.length).toBe(1)
    first.x.abort(new Error('gone'))
    await first.outcome
    send(pool)
    await expect.poll(() => streams[0]?.closed).toBe(true)
    expect(streams.length).toBe(1)
    clock.advance(1_000)
    pool.sweep()
    await expect.poll(() => streams.length).toBe(2)
  })

  it('replaces a connection on which so many streams were called off that its server may soon end it', async () => {
    const { port, streams, sessions } = await startServer(1000)
    const { pool, stats, connections } = poolFor(port)
    const kept = send(pool)
    for (let wave = 0; wave < 5; wave++) {
      const sent = Array.from({ length: 100 }, () => send(pool))
      await expect.poll(() => streams.length).toBe(1 + 100 * (wave + 1))
      for (const { x } of sent) x.abort(new Error('gone'))
    }
    const next = send(pool)
    await expect.poll(() => streams.length).toBe(502)
    const [first] = streams
    const last = streams.at(-1)
    expect(last?.session === first?.session).toBe(false)
    for (const stream of [first, last]) stream?.respond({ ':status': 204 }, { endStream: true })
    for (const { outcome } of [kept, next]) expect(((await outcome) as Reply).status).toBe(204)
    await expect.poll(() => sessions.size).toBe(2)
    await expect.poll(() => stats).toMatchObject({ open: 1, idle: 1 })
    expect(connections).toMatchObject({ open: 1, idle: 1 })
  })

  it('closes a worn connection whose last stream was called off, and keeps one whose streams seldom are', async () => {
    const { port, streams } = await startServer(1000)
    const { pool, stats, clock } = poolFor(port)
    const callOff = async (count: number): Promise<void> => {
      const before = streams.length
      const sent = Array.from({ length: count }, () => send(pool))
      await expect.poll(() => streams.length).toBe(before + count)
      for (const { x } of sent) x.abort(new Error('gone'))
    }
    for (let second = 0; second < 20; second++) {
      await callOff(30)
      clock.advance(1000)
      pool.sweep()
    }
    expect(stats).toMatchObject({ opened: 1, open: 1, idle: 1 })
    await callOff(450)
    await expect.poll(() => stats).toMatchObject({ opened: 1, open: 0, idle: 0 })
  })

  it('opens another within its limit of connections when all there are finish what they have', async () => {
    const { port, streams, sessions } = await startServer(100)
    const { pool } = poolFor(port, 1)
    send(pool)
    await expect.poll(() => streams.length).toBe(1)
    for (const session of sessions) {
      session.goaway()
      await new Promise((resolve) => session.ping(resolve))
    }
    const waiting = send(pool)
    await expect.poll(() => streams.length).toBe(2)
    streams[1]?.respond({ ':status': 204 }, { endStream: true })
    expect(((await waiting.outcome) as Reply).status).toBe(204)
  })

  it('counts a connection as idle once, however often its settings change', async () => {
    const { port, streams, sessions } = await startServer(100)
    const { pool, stats, connections } = poolFor(port)
    const { outcome } = send(pool)
    await expect.poll(() => streams.length).toBe(1)
    streams[0]?.respond({ ':status': 204 }, { endStream: true })
    await outcome
    for (const session of sessions)
      for (let i = 1; i <= 3; i++)
        await new Promise((resolve) => session.settings({ maxConcurrentStreams: 10 * i }, resolve))
    expect([stats.idle, connections.idle, connections.busy]).toEqual([1, 1, 0])
  })

  it('says of a server of HTTP/1 that it does not speak HTTP/2, for a minute', async () => {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined)
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    })
    const { pool, clock, connections } = poolFor(await listen(server))
    expect(await send(pool).outcome).toBe('not spoken')
    expect(pool.speaks(clock.monotonicMs(), true)).toBe(false)
    expect(connections.open).toBe(0)
    clock.advance(60_000)
    expect(pool.speaks(clock.monotonicMs(), true)).toBe(true)
  })

  it('says the same of a server that does not answer in time', async () => {
    let heard = ''
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (piece) => {
        heard += piece.toString('latin1')
      })
    })
    const { pool, clock } = poolFor(await listen(server))
    const { outcome } = send(pool)
    await expect.poll(() => heard).toMatch(/^PRI /)
    clock.advance(1_000)
    expect(await outcome).toBe('not spoken')
    clock.advance(30_000)
    expect(pool.speaks(clock.monotonicMs(), true)).toBe(false)
  })

  it('fails those who wait where nobody listens', async () => {
    const server = net.createServer()
    const port = await listen(server)
    await new Promise((resolve) => server.close(resolve))
    const { pool, connections } = poolFor(port)
    const sent = [send(pool), send(pool)]
    for (const { outcome } of sent) expect(((await outcome) as UpstreamFailure).kind).toBe('connect')
    expect(connections.open).toBe(0)
  })

  it('fails those who wait where each connection ends before it carries a request, and opens no more', async () => {
    const { port, sessions } = await startServer(10, (session) => session.goaway())
    const { pool } = poolFor(port)
    const { outcome } = send(pool)
    expect(((await outcome) as UpstreamFailure).kind).toBe('connect')
    expect(sessions.size).toBe(3)
    expect(((await send(pool).outcome) as UpstreamFailure).kind).toBe('connect')
    expect(sessions.size).toBe(6)
  })

  it('opens no second connection to a server that takes no streams for now', async () => {
    const { port, streams, sessions } = await startServer(0)
    const { pool } = poolFor(port)
    const { outcome } = send(pool)
    await expect.poll(() => sessions.size).toBe(1)
    await new Promise((resolve) => [...sessions][0]?.ping((...pong) => resolve(pong)))
    expect(sessions.size).toBe(1)
    for (const session of sessions) session.settings({ maxConcurrentStreams: 1 })
    await expect.poll(() => streams.length).toBe(1)
    streams[0]?.respond({ ':status': 204 }, { endStream: true })
    expect(((await outcome) as Reply).status).toBe(204)
    expect(sessions.size).toBe(1)
  })

  it('closes a connection that has been idle for too long', async () => {
    const { port, streams, sessions } = await startServer(10)
    const { pool, clock, connections } = poolFor(port)
    const { outcome } = send(pool)
    await expect.poll(() => streams.length).toBe(1)
    streams[0]?.respond({ ':status': 204 }, { endStream: true })
    await outcome
    pool.sweep()
    expect(pool.empty).toBe(false)
    clock.advance(4_000)
    pool.sweep()
    await expect.poll(() => [...sessions].every(({ closed, destroyed }) => closed || destroyed)).toBe(true)
    expect(pool.empty).toBe(true)
    expect(connections).toMatchObject({ open: 0, idle: 0 })
  })
})
