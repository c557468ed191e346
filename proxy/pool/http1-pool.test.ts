import net from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import type { Reply } from '../exchange.ts'
import type { ClientConnection } from '../http1/client-connection.ts'
import { testExchange } from '../test-exchange.ts'
import { ConnectionCount } from './connection-count.ts'
import { dialPlain } from './dial.ts'
import { Http1Pool } from './http1-pool.ts'

let clock: ManualClock
let server: net.Server
let sockets: net.Socket[]
/** What every request is answered. */
let answer: string
let connections: ConnectionCount
let pool: Http1Pool

beforeEach(async () => {
  clock = new ManualClock()
  sockets = []
  answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  server = net.createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', () => socket.write(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  connections = new ConnectionCount()
  pool = new Http1Pool({
    dial: () => dialPlain('127.0.0.1', port, 1_000, clock),
    nowMs: clock.monotonicMs,
    idleTimeoutMs: 4_000,
    maxIdle: 2,
    connections,
  })
})
afterEach(() => {
  pool.drain()
  for (const socket of sockets) socket.destroy()
  server.close()
})

const lend = (): ClientConnection | undefined => pool.takeIdle(clock.monotonicMs())

function send(connection: ClientConnection): Promise<Reply> {
  return new Promise((resolve, reject) => {
    connection.send(testExchange(), {
      onReply: (_x, reply) => resolve(reply),
      onFailure: (_x, error) => reject(error as Error),
    })
  })
}

/** `count` connections that have served a request each and are idle, the last one used last. */
async function idle(count: number): Promise<readonly ClientConnection[]> {
  const made: ClientConnection[] = []
  for (let i = 0; i < count; i++) made.push(await pool.connect())
  for (const connection of made) await send(connection)
  return made
}

describe('a pool', () => {
  it('lends nothing before something was opened, and a connection again once its exchange is over', async () => {
    expect(lend()).toBeUndefined()
    const connection = await pool.connect()
    expect(lend()).toBeUndefined()
    await send(connection)
    expect(lend()).toBe(connection)
    expect(lend()).toBeUndefined()
    expect(pool.stats).toMatchObject({ opened: 1, reused: 1, open: 1, idle: 0 })
  })

  it('lends the one used last first, so that the others can grow old', async () => {
    const [first, second] = await idle(2)
    expect([lend(), lend(), lend()]).toEqual([second, first, undefined])
  })

  it('keeps no more idle ones than it may', async () => {
    await idle(3)
    expect(pool.stats).toMatchObject({ idle: 2, open: 2 })
    expect(connections).toMatchObject({ open: 2, idle: 2, busy: 0 })
  })

  it('lends none that has been idle too long, and closes it in the sweep', async () => {
    await idle(2)
    clock.advance(3_999)
    pool.sweep()
    expect(pool.stats.idle).toBe(2)
    const used = lend()
    clock.advance(1)
    expect(lend()).toBeUndefined()
    pool.sweep()
    expect(pool.stats).toMatchObject({ open: 1, idle: 0 })
    expect(used?.usable).toBe(true)
  })

  it('believes an application that keeps connections for less', async () => {
    answer = 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=3\r\nContent-Length: 0\r\n\r\n'
    await idle(1)
    clock.advance(1_999)
    const connection = lend()
    expect(connection).toBeDefined()
    await send(connection as ClientConnection)
    clock.advance(2_000)
    expect(lend()).toBeUndefined()
  })

  it('forgets one that the application closed while it was idle', async () => {
    await idle(1)
    sockets[0]?.end()
    await expect.poll(() => pool.stats.open).toBe(0)
    expect(lend()).toBeUndefined()
    expect(connections).toMatchObject({ open: 0, idle: 0 })
  })

  it('keeps none whose reply said that it closes, or that said more than it should', async () => {
    for (const text of [
      'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nleft over',
    ]) {
      answer = text
      await send(await pool.connect())
      await expect.poll(() => pool.stats.open).toBe(0)
    }
    expect(pool.stats.idle).toBe(0)
  })

  it('counts an attempt that failed, and tells who waits that there is room again', async () => {
    let freed = 0
    connections.onFree = () => freed++
    await new Promise((resolve) => server.close(resolve))
    await expect(pool.connect()).rejects.toMatchObject({ kind: 'connect', requestWritten: false })
    expect(pool.stats).toMatchObject({ opened: 0, failed: 1, open: 0 })
    expect(connections.open).toBe(0)
    expect(freed).toBe(1)
  })

  it('that drains closes what is idle, lends no more, and lets what is in use finish', async () => {
    const [first, second] = await idle(2)
    expect(lend()).toBe(second)
    pool.drain()
    expect(first?.usable).toBe(false)
    expect(lend()).toBeUndefined()
    await expect(pool.connect()).rejects.toMatchObject({ kind: 'connect' })
    expect((await send(second as ClientConnection)).status).toBe(200)
    await expect.poll(() => pool.empty).toBe(true)
    expect(connections).toMatchObject({ open: 0, idle: 0 })
  })
})
