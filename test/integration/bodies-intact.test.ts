/** No byte of one exchange shows up in another, and none is lost, doubled or moved: bodies carry a pattern of their own. */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import http from 'node:http'
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startMeshPair } from '../support/mesh-pair.ts'
import { startPlainDataPath } from '../support/plain-data-path.ts'

const exchanges = 300
const concurrent = 60
const patternBytes = 2 * 1024 * 1024
/** Unlike itself at every offset that a piece could be moved by. */
const pattern = createHash('shake256', { outputLength: patternBytes }).update('bodies').digest()

function bodyOf(seed: number): Buffer {
  const bytes = [1024, 5000, 16 * 1024, 60_000, 200_000, 1024 * 1024][seed % 6] as number
  const start = (seed * 7919) % (patternBytes - bytes)
  return pattern.subarray(start, start + bytes)
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Reads in gulps, so that what is on its way has to wait at every hop. */
async function readAll(message: http.IncomingMessage, slow: boolean): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of message as AsyncIterable<Buffer>) {
    pieces.push(piece)
    if (slow && pieces.length % 4 === 0) await wait(2)
  }
  return Buffer.concat(pieces)
}

function write(message: http.ClientRequest | http.ServerResponse, body: Buffer, asChunks: boolean): void {
  if (!asChunks) message.setHeader('content-length', body.length)
  const half = asChunks ? body.length >> 1 : 0
  if (half > 0) message.write(body.subarray(0, half))
  message.end(body.subarray(half))
}

const wrong: string[] = []

async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const seed = Number((request.url ?? '').slice(1))
  const cut = seed % 10 === 7
  if (cut && seed % 20 === 7) request.socket.resetAndDestroy()
  try {
    const body = await readAll(request, seed % 3 === 0)
    if (!body.equals(bodyOf(seed))) wrong.push(`request ${seed}`)
  } catch {
    if (!cut) wrong.push(`request ${seed} broke`)
    return
  }
  write(response, bodyOf(seed + 1), seed % 4 < 2)
}

/** Resolves with what went wrong. Every tenth is cut off by one of the two sides, and may end in any way but a wrong one. */
function exchange(port: number, agent: http.Agent, seed: number): Promise<string | undefined> {
  const cut = seed % 10 === 7
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve(cut ? undefined : `${seed}: ${error.message}`)
    const options = { port, agent, method: 'PUT', path: `/${seed}`, headers: { host: 'app.test' } }
    const request = http.request({ host: '127.0.0.1', ...options }, (reply) => {
      readAll(reply, seed % 5 === 0).then((body) => {
        const whole = reply.statusCode === 200 && body.equals(bodyOf(seed + 1))
        resolve(whole || (cut && reply.statusCode !== 200) ? undefined : `reply ${seed}: ${reply.statusCode}`)
      }, failed)
    })
    request.on('error', failed)
    write(request, bodyOf(seed), seed % 2 === 0)
    if (cut && seed % 20 === 17) setTimeout(() => request.destroy(), seed % 7)
  })
}

/** Echoes all that comes after an upgrade, and ends when the client does. */
function echo(socket: net.Socket, early: Buffer): void {
  socket.on('error', () => undefined)
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
  socket.write(early)
  socket.pipe(socket)
}

/** Sends before the 101 is there, reads late, ends its own direction first. */
function tunnel(port: number, seed: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const pieces: Buffer[] = []
    socket.write('GET /echo HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    socket.end(bodyOf(seed))
    socket.pause()
    setTimeout(() => socket.resume(), 50)
    socket.on('data', (piece: Buffer) => pieces.push(piece))
    socket.on('error', reject)
    socket.on('end', () => {
      const all = Buffer.concat(pieces)
      resolve(all.subarray(all.indexOf('\r\n\r\n') + 4))
    })
  })
}

const application = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  void answer(request, response)
})
application.on('upgrade', (_request, socket: net.Socket, early) => echo(socket, early))
let applicationPort = 0

beforeAll(async () => {
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve))
  applicationPort = (application.address() as net.AddressInfo).port
})
afterAll(() => {
  application.close()
  application.closeAllConnections()
})

const meshes = [
  { name: 'in clear', start: () => startPlainDataPath([applicationPort]) },
  { name: 'over mesh mTLS', start: () => startMeshPair(applicationPort) },
]

describe.each(meshes)('$name', ({ start }) => {
  let mesh: { readonly port: number; readonly stop: () => void }
  beforeAll(async () => {
    mesh = await start()
  })
  afterAll(() => mesh.stop())

  test('bodies of many exchanges at once arrive as they were sent, both ways', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: concurrent })
    const all = Array.from({ length: exchanges }, (_, seed) => exchange(mesh.port, agent, seed))
    const problems = (await Promise.all(all)).filter((problem) => problem !== undefined)
    agent.destroy()
    expect(problems).toEqual([])
    expect(wrong).toEqual([])
  })

  test('bytes of a tunnel do too, also those that came before it', async () => {
    const seeds = Array.from({ length: 30 }, (_, i) => (i * 5) % 4)
    const echoed = await Promise.all(seeds.map((seed) => tunnel(mesh.port, seed)))
    expect(echoed.every((bytes, i) => bytes.equals(bodyOf(seeds[i] as number)))).toBe(true)
  })
})
