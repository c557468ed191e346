/** A client, or a server, that is gone must not keep an application, a sidecar or a connection at work. */
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import { startMeshPair } from '../support/mesh-pair.ts'
import { startPlainDataPath } from '../support/plain-data-path.ts'
import { type RawServer, RawClient, settleSockets, startRawServer } from '../support/raw-tcp.ts'

const get = (path = '/'): string => `GET ${path} HTTP/1.1\r\nHost: app.test\r\n\r\n`

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function startApplication(answer: (text: string, socket: net.Socket) => void): Promise<RawServer> {
  const application = await startRawServer(answer)
  cleanups.push(() => application.stop())
  return application
}

function connect(port: number): RawClient {
  const client = new RawClient(port)
  cleanups.push(() => client.destroy())
  return client
}

test.each([
  ['before the reply', ''],
  ['in the middle of the reply', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'],
])('a client that breaks off %s is broken off at the application, two sidecars away', async (_, reply) => {
  const application = await startApplication((_text, socket) => socket.write(reply))
  const pair = await startMeshPair(application.port)
  cleanups.push(() => pair.stop())
  const client = connect(pair.port)
  client.write(get())
  await expect.poll(() => application.received[0]).toMatch(/^GET \/ .*\r\n\r\n$/s)
  if (reply !== '') await client.take((text) => text.endsWith('abc'))
  expect(application.isOpen(0)).toBe(true)
  client.socket.resetAndDestroy()
  await expect.poll(() => application.isOpen(0)).toBe(false)
})

/** The kernel's timer of the connection to `peerPort`, at that end of it whose own port is `port`; 2 is keep-alive (proc(5)). */
function kernelTimer(peerPort: number, port?: number): number | undefined {
  const has = (address: string | undefined, wanted: number): boolean =>
    address?.endsWith(`:${wanted.toString(16).toUpperCase().padStart(4, '0')}`) === true
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const [, local, remote, state, , timer] = line.trim().split(/\s+/)
    // 1: established.
    if (has(remote, peerPort) && (port === undefined ? state === '01' : has(local, port)))
      return Number(timer?.split(':')[0])
  }
  return undefined
}

test('a client that has stopped sending is probed while its reply takes long', async () => {
  const application = await startApplication(() => undefined)
  const sidecar = await startPlainDataPath([application.port])
  cleanups.push(() => sidecar.stop())
  const client = connect(sidecar.port)
  client.socket.end(get())
  await expect.poll(() => application.received[0]).toMatch(/^GET \/ .*\r\n\r\n$/s)
  await expect.poll(() => kernelTimer(client.socket.localPort as number, sidecar.port)).toBe(2)
})

test('an application and a sidecar that take long to reply are probed', async () => {
  const application = await startApplication(() => undefined)
  const pair = await startMeshPair(application.port)
  cleanups.push(() => pair.stop())
  connect(pair.port).write(get())
  await expect.poll(() => application.received[0]).toMatch(/^GET \/ .*\r\n\r\n$/s)
  await expect.poll(() => [pair.meshPort, application.port].map((port) => kernelTimer(port))).toEqual([2, 2])
})

test('a client that ends before its protocol is known is let go at once', async () => {
  const sidecar = await startPlainDataPath([1], { clock: new ManualClock() })
  cleanups.push(() => sidecar.stop())
  const client = connect(sidecar.port)
  client.socket.end('GE')
  expect(await client.take()).toBe('')
})

test('what a client pipelines before its end is answered, also where the sidecar answers at once', async () => {
  const sidecar = await startPlainDataPath([1], { clock: new ManualClock() })
  cleanups.push(() => sidecar.stop())
  const client = connect(sidecar.port)
  await settleSockets()
  client.socket.end(get().repeat(3).replaceAll('app.test', 'unknown.test'))
  expect((await client.take()).match(/HTTP\/1\.1 502 /g)).toHaveLength(3)
})
