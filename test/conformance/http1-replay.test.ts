/** The idle race: a pooled connection that dies under a request. Only what is safe for any application is sent again. */
import { Buffer } from 'node:buffer'
import type net from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dealWithRead, flushAtTurnsEnd } from '../../proxy/listen/write-turn.ts'
import { type Application, type ReceivedRequest, startApplication } from '../support/application.ts'
import { type PlainDataPath, startPlainDataPath } from '../support/plain-data-path.ts'
import { RawClient, settleSockets } from '../support/raw-tcp.ts'

const reply = (content: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${content.length}\r\n\r\n${content}`
const first = 'GET /first HTTP/1.1\r\nHost: app.test\r\n\r\n'
const request = (method: string, fields = '', body = ''): string =>
  `${method} / HTTP/1.1\r\nHost: app.test\r\n${fields}\r\n${body}`
const sized = (method: string, bytes: number): string =>
  request(method, `Content-Length: ${bytes}\r\n`, 'x'.repeat(bytes))
const chunked = (method: string, bytes: number): string =>
  request(
    method,
    'Transfer-Encoding: chunked\r\n',
    `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n0\r\n\r\n`,
  )

let application: Application
let sidecar: PlainDataPath
let client: RawClient
/** Requests that reached the application, the broken ones too, as [connection, request on it]. */
let seen: (readonly [number, number])[]
/** What becomes of a request that comes on a connection that has served before. */
let breakOff: (request: ReceivedRequest) => void

beforeEach(async () => {
  seen = []
  breakOff = ({ socket }) => socket.resetAndDestroy()
  const answer = (received: ReceivedRequest): void => {
    if (received.nth > 1) return
    received.socket.write(reply(received.head.startsWith('HEAD') ? '' : 'ok'))
  }
  application = await startApplication(answer, (received) => {
    seen.push([received.connection, received.nth])
    if (received.nth > 1) breakOff(received)
  })
  sidecar = await startPlainDataPath([application.port])
  client = new RawClient(sidecar.port)
})

afterEach(async () => {
  client.destroy()
  sidecar.stop()
  await application.stop()
})

/** Leaves `count` connections idle in the pool; each of them breaks the next request that it gets. */
async function fillPool(count = 1): Promise<void> {
  const clients = Array.from({ length: count }, () => new RawClient(sidecar.port))
  for (const filler of clients) filler.write(first)
  for (const filler of clients) await filler.take((text) => text.endsWith('\r\n\r\nok'))
  expect(application.connections()).toBe(count)
  for (const filler of clients) filler.destroy()
  seen.length = 0
}

const isAnswered = (text: string): boolean => /\r\n\r\n(ok|.*\n)?$/s.test(text)
/** What there is of a request's content, however it was cut into chunks. */
const content = (text = ''): string => text.replaceAll(/[^x]/g, '')
const status = (text: string): number => Number(text.slice(9, 12))

describe('a reused connection dies before any byte of a reply', () => {
  const limit = 64 * 1024
  const replayed: readonly (readonly [string, string])[] = [
    ['GET', request('GET')],
    ['HEAD', request('HEAD')],
    ['OPTIONS', request('OPTIONS')],
    ['TRACE', request('TRACE')],
    ['DELETE', request('DELETE')],
    ['PUT without a body', sized('PUT', 0)],
    ['PUT with a small body', sized('PUT', 10)],
    ['PUT with 64 KiB', sized('PUT', limit)],
    ['DELETE with a body', sized('DELETE', 10)],
    ['GET with a body', sized('GET', 10)],
    ['PUT in chunks', chunked('PUT', 10)],
    ['PUT of 48 KiB in chunks', chunked('PUT', 48 * 1024)],
  ]
  test.each(replayed)('%s is sent once more, on a new connection', async (_, text) => {
    await fillPool()
    client.write(text)
    expect(status(await client.take(isAnswered))).toBe(200)
    expect(seen).toEqual([
      [0, 2],
      [1, 1],
    ])
    expect(content(application.requests.at(-1)?.body)).toBe(content(text))
  })

  const refused: readonly (readonly [string, string])[] = [
    ['POST without a body', sized('POST', 0)],
    ['POST with a body', sized('POST', 10)],
    ['POST in chunks', chunked('POST', 10)],
    ['PATCH', sized('PATCH', 10)],
    ['a method that nobody knows', request('BREW')],
    ['get in lower case', request('get')],
    ['PUT of more than 64 KiB', sized('PUT', limit + 1)],
  ]
  test.each(refused)('%s is not', async (_, text) => {
    await fillPool()
    client.write(text)
    const answer = await client.take(isAnswered)
    expect(answer).toMatch(/^HTTP\/1\.1 502 .*\r\nweft-error: UC\r\n/s)
    await settleSockets()
    expect(seen).toEqual([[0, 2]])
  })

  test('PUT in chunks, of which more than 64 KiB went out, is not', async () => {
    breakOff = () => undefined
    await fillPool()
    client.write(chunked('PUT', 256 * 1024).slice(0, -5))
    while ((application.received[0]?.length ?? 0) < 200 * 1024) await settleSockets()
    application.cut(0)
    expect(await client.take(isAnswered)).toMatch(/^HTTP\/1\.1 502 .*\r\nweft-error: UC\r\n/s)
    expect(seen).toEqual([[0, 2]])
  })

  test('a body that is still coming goes on behind what was kept of it', async () => {
    await fillPool()
    const text = chunked('PUT', 10)
    client.write(text.slice(0, -8))
    while (seen.length < 2) await settleSockets()
    client.write(text.slice(-8))
    expect(status(await client.take(isAnswered))).toBe(200)
    expect(content(application.requests.at(-1)?.body)).toBe(content(text))
  })
})

/** What is written waits for the turn's end, as it does in a sidecar of which many read at once. */
async function gatherWrites(): Promise<void> {
  await settleSockets()
  for (let turn = 0; turn < 2; turn++) {
    for (let read = 0; read < 20; read++)
      dealWithRead({ onBytes: () => flushAtTurnsEnd({ flush: () => undefined }) }, Buffer.alloc(1), 0, 1)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}

describe('a reused connection ends before any byte of the request has left', () => {
  const ends: readonly (readonly [string, (socket: net.Socket) => unknown])[] = [
    ['FIN', (socket) => socket.end()],
    ['RST', (socket) => socket.resetAndDestroy()],
    ['an unasked reply', (socket) => socket.write(reply('poison'))],
  ]
  const requests: readonly (readonly [string, string])[] = [
    ['GET', request('GET')],
    ['POST', sized('POST', 10)],
    ['PATCH', sized('PATCH', 0)],
    ['PUT', sized('PUT', 40_000)],
  ]
  test.each(ends.flatMap(([how, end]) => requests.map(([what, text]) => [how, what, text, end] as const)))(
    '%s: %s is sent on a new one',
    async (_how, _what, text, end) => {
      await fillPool()
      const idle = application.requests[0]?.socket as net.Socket
      await gatherWrites()
      // Both arrive in the same turn of the event loop, the request first.
      client.write(text)
      end(idle)
      expect(await client.take(isAnswered)).toBe(reply('ok'))
      expect(seen).toEqual([[1, 1]])
      expect(content(application.requests.at(-1)?.body)).toBe(content(text))
    },
  )
})

describe('it is sent again only once, and only then', () => {
  test('a second idle connection is not tried: it may be as dead', async () => {
    await fillPool(3)
    client.write(request('GET'))
    expect(status(await client.take(isAnswered))).toBe(200)
    expect(seen).toHaveLength(2)
    expect(seen[1], 'a new connection').toEqual([3, 1])
  })

  test('not after a part of a reply', async () => {
    breakOff = ({ socket }) => socket.end('HTTP/1.1 200')
    await fillPool()
    client.write(request('GET'))
    expect(status(await client.take(isAnswered))).toBe(502)
    expect(seen).toEqual([[0, 2]])
  })

  test.each([100, 103])('not after an interim %i', async (code) => {
    breakOff = ({ socket }) => socket.end(`HTTP/1.1 ${code} X\r\n\r\n`)
    await fillPool()
    client.write(request('GET'))
    expect(await client.take((text) => isAnswered(text) && text.includes(' 502 '))).toMatch(/weft-error: UC/)
    expect(seen).toEqual([[0, 2]])
  })

  test('not on a malformed reply', async () => {
    breakOff = ({ socket }) => socket.write('HTTP/2.0 200 OK\r\n\r\n')
    await fillPool()
    client.write(request('GET'))
    expect(await client.take(isAnswered)).toMatch(/weft-error: UPE/)
    expect(seen).toEqual([[0, 2]])
  })

  test('not in the middle of a reply', async () => {
    breakOff = ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc')
    await fillPool()
    client.write(request('GET'))
    expect(await client.take()).toBe('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc')
    expect(seen).toEqual([[0, 2]])
  })
})

test.each(['fin', 'reset'])(
  'a new connection that dies (%s) before it replied is not idle: 502',
  async (how) => {
    let connections = 0
    const broken = await startApplication(({ socket }) => {
      connections++
      if (how === 'fin') socket.end()
      else socket.resetAndDestroy()
    })
    const path = await startPlainDataPath([broken.port])
    const other = new RawClient(path.port)
    try {
      other.write(request('GET'))
      expect(await other.take(isAnswered)).toMatch(/^HTTP\/1\.1 502 .*\r\nweft-error: UC\r\n/s)
      expect(connections).toBe(1)
    } finally {
      other.destroy()
      path.stop()
      await broken.stop()
    }
  },
)

test.each(['GET', 'POST'])(
  '%s goes elsewhere when nothing accepts: not a byte was written',
  async (method) => {
    const gone = await startApplication(() => undefined)
    await gone.stop()
    const path = await startPlainDataPath([gone.port, application.port])
    try {
      for (let round = 0; round < 6; round++) {
        const other = new RawClient(path.port)
        other.write(sized(method, 3))
        expect(status(await other.take(isAnswered))).toBe(200)
        other.destroy()
        // Every request on a connection of its own, so that none of them is a stale one.
        for (let index = 0; index < application.connections(); index++) application.cut(index)
        await settleSockets()
      }
    } finally {
      path.stop()
    }
  },
)
