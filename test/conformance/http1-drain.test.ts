/** A sidecar that leaves: every request that a client could still send in good faith is answered, and none after it. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { type Application, type ReceivedRequest, startApplication } from '../support/application.ts'
import { type PlainDataPath, startPlainDataPath } from '../support/plain-data-path.ts'
import { RawClient, settleSockets } from '../support/raw-tcp.ts'

const get = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n'
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const last = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'

let clock: ManualClock
let application: Application
let sidecar: PlainDataPath
let client: RawClient
let answer: (request: ReceivedRequest) => void
let drained: boolean

beforeEach(async () => {
  drained = false
  clock = new ManualClock()
  answer = ({ socket }) => socket.write(ok)
  application = await startApplication((request) => answer(request))
  sidecar = await startPlainDataPath([application.port], { clock })
  client = new RawClient(sidecar.port)
})

afterEach(async () => {
  client.destroy()
  sidecar.stop()
  await application.stop()
})

async function ask(expected = ok): Promise<void> {
  client.write(get)
  expect(await client.take((text) => text === expected)).toBe(expected)
}

async function drain(): Promise<void> {
  void sidecar.dataPath.drain().then(() => (drained = true))
  await settleSockets()
}

async function expectDrained(): Promise<void> {
  expect(await client.take()).toBe('')
  client.destroy()
  while (!drained) await settleSockets()
}

test.each([
  ['an idle client', async () => ask()],
  ['a client that has not said anything yet', settleSockets],
  [
    'a client that has sent half a request',
    async () => {
      await ask()
      client.write(get.slice(0, 20))
      await settleSockets()
    },
  ],
])('%s may send one more request', async (name, before) => {
  await before()
  await drain()
  clock.advance(500)
  client.write(name.includes('half') ? get.slice(20) : get)
  expect(await client.take()).toBe(last)
  await expectDrained()
})

test.each([
  ['an idle client', async () => ask()],
  ['a client that has not said anything yet', settleSockets],
])('%s that sends none is let go after a second', async (_, before) => {
  await before()
  await drain()
  clock.advance(500)
  await settleSockets()
  expect([client.closed, drained]).toEqual([false, false])
  clock.advance(1000)
  await expectDrained()
  expect(client.reset).toBe(false)
})

test('the reply in flight is waited for, and says that it is the last', async () => {
  const held: ReceivedRequest[] = []
  answer = (request) => held.push(request)
  client.write(get + get)
  while (held.length === 0) await settleSockets()
  await drain()
  clock.advance(5000)
  await settleSockets()
  expect([client.closed, drained]).toEqual([false, false])
  held[0]?.socket.write(ok)
  expect(await client.take()).toBe(last)
  await expectDrained()
  expect(application.requests, 'what is pipelined behind it goes nowhere').toHaveLength(1)
})

test('who was not told in the head of a reply is told by the next one', async () => {
  answer = ({ socket }) => socket.write(ok.slice(0, -1))
  client.write(get)
  expect(await client.take((text) => text.endsWith('\no'))).toBe(ok.slice(0, -1))
  await drain()
  answer = ({ socket }) => socket.write(ok)
  application.requests[0]?.socket.write('k')
  expect(await client.take((text) => text === 'k')).toBe('k')
  await ask(last)
  await expectDrained()
})
