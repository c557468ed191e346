import { once } from 'node:events'
import net from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { freePorts } from './ports.ts'
import { Relay } from './relay.ts'

const servers: net.Server[] = []
const relays: Relay[] = []
afterEach(() => {
  for (const relay of relays.splice(0)) relay.close()
  for (const server of servers.splice(0)) server.close()
})

/** Sends `pieces` through a relay to a server that answers `answer` at the end; what came back. */
async function through(pieces: readonly string[], answer: string): Promise<{ relay: Relay; back: string }> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    socket.resume()
    socket.on('end', () => socket.end(answer))
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const relay = new Relay((server.address() as net.AddressInfo).port, ['secret-path', 'secret-body'])
  relays.push(relay)
  const [port] = (await freePorts(1)) as [number]
  await relay.listen(port)
  const client = net.connect({ port, host: '127.0.0.1', noDelay: true })
  let back = ''
  client.setEncoding('latin1').on('data', (piece) => {
    back += String(piece)
  })
  await once(client, 'connect')
  for (const piece of pieces) {
    client.write(piece)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  client.end()
  await once(client, 'close')
  return { relay, back }
}

test('bytes pass both ways and are counted; nothing is seen where nothing is', async () => {
  const { relay, back } = await through(['ping'], 'pong')
  expect(back).toBe('pong')
  expect(relay.relayedBytes).toBe(8)
  expect(relay.clearTextSeen).toBe(false)
})

test('a path in clear is seen, even in two pieces', async () => {
  const { relay } = await through(['GET /secret-', 'path HTTP/1.1\r\n'], 'ok')
  expect(relay.clearTextSeen).toBe(true)
})

test('a body in clear is seen on its way back', async () => {
  const { relay } = await through(['hello'], '{"x":"secret-body"}')
  expect(relay.clearTextSeen).toBe(true)
})
