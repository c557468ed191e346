/** A gigabyte through a reader that is slower than its sender: it must wait at the sender, not in the sidecar. */
import net from 'node:net'
import { expect, test } from 'vitest'
import { processMemory } from '../support/process-memory.ts'
import { type SidecarProcess, startSidecarProcess } from '../support/sidecar-process.ts'

const totalBytes = 2 ** 30
const piece = Buffer.alloc(256 * 1024, 'w')
const framedPiece = Buffer.concat([
  Buffer.from(`${piece.length.toString(16)}\r\n`),
  piece,
  Buffer.from('\r\n'),
])
const pieces = totalBytes / piece.length
/** What a slow reader takes before it rests. */
const burstBytes = 32 * 1024 * 1024
const restMs = 20
/** At first nothing is read at all: long enough for a sender to fill whatever takes its bytes. */
const firstRestMs = 3_000
/** V8 lets 64 MiB of buffers outside of its heap pile up before it collects them; an eighth of what passes is the most. */
const mayGrowBytes = 128 * 1024 * 1024

type Cleanups = (() => unknown)[]

/** Writes all pieces, as fast as they are taken. */
async function send(socket: net.Socket, bytes: Buffer): Promise<void> {
  for (let i = 0; i < pieces && !socket.destroyed; i++)
    if (!socket.write(bytes)) await new Promise<void>((resolve) => void socket.once('drain', resolve))
}

/** Reads slowly until `bytes` have come after the head. */
function readSlowly(socket: net.Socket, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let read = 0
    let burst = 0
    let inHead = true
    const rest = (ms: number): void => {
      socket.pause()
      setTimeout(() => socket.resume(), ms)
    }
    socket.on('data', (data: Buffer) => {
      const content = inHead ? data.length - (data.indexOf('\r\n\r\n') + 4) : data.length
      if (inHead) rest(firstRestMs)
      inHead = false
      read += content
      burst += content
      if (read >= bytes) resolve()
      else if (burst > burstBytes) {
        burst = 0
        rest(restMs)
      }
    })
    socket.on('close', () => reject(new Error(`closed after ${read} bytes`)))
    socket.on('error', () => undefined)
  })
}

type Application = (socket: net.Socket) => Promise<void> | void

async function startApplication(serve: Application, cleanups: Cleanups): Promise<number> {
  const server = net.createServer((socket) => {
    cleanups.push(() => socket.destroy())
    socket.on('error', () => undefined)
    void serve(socket)
  })
  cleanups.push(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as net.AddressInfo).port
}

async function connect(sidecar: SidecarProcess, cleanups: Cleanups): Promise<net.Socket> {
  const socket = net.connect(sidecar.port, '127.0.0.1')
  cleanups.push(() => socket.destroy())
  socket.on('error', () => undefined)
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  return socket
}

function firstData(socket: net.Socket): Promise<Buffer> {
  return new Promise((resolve) => socket.once('data', resolve))
}

const request = (method: string, fields: string): string =>
  `${method} / HTTP/1.1\r\nHost: app.shop:8080\r\n${fields}\r\n`
const upgrade = 'Connection: Upgrade\r\nUpgrade: bytes\r\n'
const chunked = 'Transfer-Encoding: chunked\r\n'

type Row = {
  readonly name: string
  readonly application: Application
  readonly client: (socket: net.Socket) => Promise<void>
}

const rows: readonly Row[] = [
  {
    name: 'a reply with a length',
    application: async (socket) => {
      await firstData(socket)
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${totalBytes}\r\n\r\n`)
      await send(socket, piece)
    },
    client: (socket) => {
      socket.write(request('GET', ''))
      return readSlowly(socket, totalBytes)
    },
  },
  {
    name: 'a reply in chunks',
    application: async (socket) => {
      await firstData(socket)
      socket.write(`HTTP/1.1 200 OK\r\n${chunked}\r\n`)
      await send(socket, framedPiece)
    },
    client: (socket) => {
      socket.write(request('GET', ''))
      return readSlowly(socket, totalBytes)
    },
  },
  {
    name: 'a request with a length',
    application: (socket) =>
      readSlowly(socket, totalBytes).then(() => void socket.write('HTTP/1.1 204 No Content\r\n\r\n')),
    client: async (socket) => {
      socket.write(request('POST', `Content-Length: ${totalBytes}\r\n`))
      const reply = firstData(socket)
      await send(socket, piece)
      expect(String(await reply)).toMatch(/^HTTP\/1\.1 204 /)
    },
  },
  {
    name: 'a request in chunks',
    application: (socket) =>
      readSlowly(socket, totalBytes).then(() => void socket.write('HTTP/1.1 204 No Content\r\n\r\n')),
    client: async (socket) => {
      socket.write(request('POST', chunked))
      const reply = firstData(socket)
      await send(socket, framedPiece)
      socket.write('0\r\n\r\n')
      expect(String(await reply)).toMatch(/^HTTP\/1\.1 204 /)
    },
  },
  {
    name: 'a tunnel, both ways at once',
    application: async (socket) => {
      await firstData(socket)
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${upgrade}\r\n`)
      void send(socket, piece)
      socket.resume()
    },
    client: (socket) => {
      socket.write(request('GET', upgrade))
      const read = readSlowly(socket, totalBytes)
      socket.once('data', () => void send(socket, piece))
      return read
    },
  },
]

// Side by side: each has a sidecar of its own, and rests for most of its time. A busy machine takes minutes.
test.concurrent.for(rows)(
  '1 GiB as $name leaves the memory of the sidecar where it was',
  { timeout: 300_000 },
  async (row, { expect, onTestFinished }) => {
    const cleanups: Cleanups = []
    onTestFinished(async () => {
      for (const cleanup of cleanups.toReversed()) await cleanup()
    })
    const sidecar = await startSidecarProcess(await startApplication(row.application, cleanups))
    cleanups.push(() => sidecar.stop())
    const before = processMemory(sidecar.pid, 'VmRSS')
    const startedMs = performance.now()
    await row.client(await connect(sidecar, cleanups))
    const grown = processMemory(sidecar.pid, 'VmHWM') - before
    const seconds = (performance.now() - startedMs) / 1000
    process.stdout.write(
      `${row.name}: ${seconds.toFixed(1)} s, at most ${(grown / 2 ** 20).toFixed(0)} MiB above ${(before / 2 ** 20).toFixed(0)} MiB\n`,
    )
    expect(grown).toBeLessThan(mayGrowBytes)
  },
)
