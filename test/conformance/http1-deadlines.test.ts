/** Row 58 of the request matrix: a client that stops at any byte of its request is answered 408 in time, and cut. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { type Application, startApplication } from '../support/application.ts'
import { type PlainDataPath, startPlainDataPath } from '../support/plain-data-path.ts'
import { RawClient, settleSockets, settleUntil } from '../support/raw-tcp.ts'
import { chunkedPost, get, okReply, post } from './request-row.ts'

const headTimeoutMs = 10_000
const streamIdleTimeoutMs = 300_000
/** Deadlines are swept twice a second. */
const sweepMs = 500

const clock = new ManualClock()
let application: Application
let sidecar: PlainDataPath

beforeAll(async () => {
  application = await startApplication(({ socket }) => socket.write(okReply))
  sidecar = await startPlainDataPath([application.port], { clock })
})

afterAll(async () => {
  sidecar.stop()
  await application.stop()
})

/** Sends `first` on a new connection, which one good request went before where `reused`. */
async function begin(first: string, reused: boolean): Promise<RawClient> {
  const client = new RawClient(sidecar.port)
  if (reused) {
    client.write(get())
    expect(await client.take((text) => text === okReply)).toBe(okReply)
  }
  client.write(first)
  await settleSockets()
  await settleSockets()
  return client
}

async function expectTimeout(client: RawClient, timeoutMs: number, reason: string): Promise<void> {
  clock.advance(timeoutMs - sweepMs)
  await settleSockets()
  expect(client.closed, 'closed too early').toBe(false)
  clock.advance(2 * sweepMs)
  expect(await client.take()).toBe(
    `HTTP/1.1 408 Request Timeout\r\nContent-Type: text/plain\r\nContent-Length: ${reason.length + 18}\r\nweft-error: DT\r\nConnection: close\r\n\r\nREQUEST_TIMEOUT: ${reason}\n`,
  )
}

test.each([
  ['first', false],
  ['second', true],
])('58 slow head of the %s request, at every byte (CVE-2018-12122)', async (_, reused) => {
  const request = get('X-A: b\r\n')
  for (let at = 1; at < request.length; at++) {
    const before = application.received.join('').length
    const client = await begin(request.slice(0, at), reused)
    await expectTimeout(client, headTimeoutMs, 'the request head took too long')
    const reached = application.received.join('').slice(before)
    expect(reached.replace(get(), ''), 'nothing of it reaches the application').toBe('')
    client.destroy()
  }
})

test.each([
  ['with Content-Length', post('Content-Length: 5\r\n', 'abcde')],
  ['in chunks', chunkedPost('3\r\nabc\r\n2;x\r\nde\r\n0\r\nX-T: 1\r\n\r\n')],
])('58 slow body %s, at every byte', async (_, request) => {
  for (let at = request.indexOf('\r\n\r\n') + 4; at < request.length; at++) {
    const whole = application.requests.length
    const client = await begin(request.slice(0, at), false)
    await expectTimeout(client, streamIdleTimeoutMs, 'the request body took too long')
    const used = application.connections() - 1
    await settleUntil(() => !application.isOpen(used))
    const reached = application.received[used] as string
    expect(reached.startsWith(request.slice(0, request.indexOf('\r\n\r\n') + 4))).toBe(true)
    expect(application.requests.length, 'it must not look whole').toBe(whole)
    expect(application.isOpen(used), 'its connection is not used again').toBe(false)
    client.destroy()
  }
})
