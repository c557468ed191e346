import net from 'node:net'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { OpenLoop } from './open-loop.ts'
import { plainGet } from './request.ts'

const reply = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
let pacer: Worker
let server: net.Server | undefined

beforeEach(() => {
  pacer = new Worker(new URL('./pacer-thread.ts', import.meta.url))
})

afterEach(async () => {
  await pacer.terminate()
  server?.close()
  server = undefined
})

/** Answers by `onRequest`, which is told how many requests came before. */
async function serve(onRequest: (socket: net.Socket, before: number) => void): Promise<number> {
  let requests = 0
  const started = net.createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', () => onRequest(socket, requests++))
  })
  server = started
  await new Promise<void>((resolve) => {
    started.listen(0, '127.0.0.1', resolve)
  })
  return (started.address() as net.AddressInfo).port
}

function loop(port: number, connections: number, count: number): OpenLoop {
  return new OpenLoop({ port, connections, request: plainGet, ratePerSecond: 1000, seconds: count / 1000 })
}

test('all that the schedule holds is sent and answered, none of it what warms the connections', async () => {
  let requests = 0
  const port = await serve((socket) => {
    requests++
    socket.write(reply)
  })
  const load = loop(port, 4, 100)
  await load.prepare()
  expect(requests).toBe(4)
  expect(await load.run(pacer)).toEqual({ completed: 100, errors: 0, reasons: {}, reconnects: 0 })
  expect(requests).toBe(104)
  expect(load.tally.latencyUs.totalCount).toBe(100)
  expect(load.tally.latenessUs.totalCount).toBe(100)
})

test('a stall is charged to every request that was due meanwhile, not only to the one that was in flight', async () => {
  const stallMs = 150
  const port = await serve((socket, before) => {
    // The second request: the first has warmed the one connection.
    if (before === 1) setTimeout(() => socket.write(reply), stallMs)
    else socket.write(reply)
  })
  const load = loop(port, 1, 100)
  await load.prepare()
  expect(await load.run(pacer)).toEqual({ completed: 100, errors: 0, reasons: {}, reconnects: 0 })
  // The last of the hundred was due 99 ms after the first, and could not be sent before the first was answered.
  expect(load.tally.latencyUs.getValueAtPercentile(0)).toBeGreaterThan((stallMs - 105) * 1000)
  expect(load.tally.latencyUs.maxValue).toBeGreaterThan(stallMs * 990)
})

test('replies that are not 2xx, and connections that break, are errors', async () => {
  const refusing = await serve((socket, before) =>
    socket.write(before === 0 ? reply : 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n'),
  )
  const refused = loop(refusing, 1, 10)
  await refused.prepare()
  expect(await refused.run(pacer)).toEqual({
    completed: 0,
    errors: 10,
    reasons: { 'status 503': 10 },
    reconnects: 0,
  })
  server?.close()
  const breaking = await serve((socket, before) => (before < 2 ? socket.write(reply) : socket.destroy()))
  const broken = loop(breaking, 2, 2)
  await broken.prepare()
  expect(await broken.run(pacer)).toEqual({
    completed: 0,
    errors: 2,
    reasons: { 'connection closed': 2 },
    reconnects: 2,
  })
})

test.each([
  [
    'says so with the reply',
    (socket: net.Socket) => socket.end(reply.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')),
  ],
  ['closes an idle one', (socket: net.Socket) => socket.write(reply, () => setImmediate(() => socket.end()))],
])(
  'a server may close a connection after any reply, and another one is opened: it %s',
  async (_how, last) => {
    // The last of the two that warm the connections, so that nothing is in flight when it is closed.
    const port = await serve((socket, before) => (before === 1 ? last(socket) : socket.write(reply)))
    const load = loop(port, 2, 50)
    await load.prepare()
    const { completed, errors, reasons } = await load.run(pacer)
    expect({ completed, errors, reasons }).toEqual({ completed: 50, errors: 0, reasons: {} })
  },
)

test('connections that a server closes with every reply are counted', async () => {
  const closing = reply.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')
  const port = await serve((socket) => socket.end(closing))
  const load = loop(port, 2, 50)
  await load.prepare()
  expect(await load.run(pacer)).toEqual({ completed: 50, errors: 0, reasons: {}, reconnects: 50 })
})

test('a server that does not answer at all is not measured', async () => {
  const port = await serve((socket) => socket.destroy())
  await expect(loop(port, 1, 10).prepare()).rejects.toThrow(/1 connections were not answered/)
})
