/** What one client, or all together, may cost a sidecar: time, connections, bytes; and what it does in overload. */
import { once } from 'node:events'
import net from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../core/manual-clock.ts'
import type { DataPathOptions } from '../../proxy/data-path-options.ts'
import { startMeshPair } from '../support/mesh-pair.ts'
import { type PlainDataPath, startPlainDataPath } from '../support/plain-data-path.ts'
import { exchangeRaw, type RawServer, settleSockets, startRawServer } from '../support/raw-tcp.ts'

const get = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n'
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

type Setup = { readonly clock: ManualClock; readonly upstream: RawServer; readonly sidecar: PlainDataPath }

async function setUp(
  answer: (text: string, socket: net.Socket) => void,
  overrides: Partial<DataPathOptions> = {},
): Promise<Setup> {
  const clock = new ManualClock()
  const upstream = await startRawServer(answer)
  cleanups.push(() => upstream.stop())
  const sidecar = await startPlainDataPath([upstream.port], { clock, ...overrides })
  cleanups.push(() => sidecar.stop())
  return { clock, upstream, sidecar }
}

function answerOk(text: string, socket: net.Socket): void {
  if (text.endsWith('\r\n\r\n')) socket.write(ok)
}

type Client = { readonly socket: net.Socket; readonly text: () => string; readonly closed: () => boolean }

async function connect(port: number): Promise<Client> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  cleanups.push(() => socket.destroy())
  let text = ''
  let closed = false
  socket.on('error', () => undefined)
  socket.on('data', (piece) => {
    text += piece.toString('latin1')
  })
  socket.on('close', () => {
    closed = true
  })
  await once(socket, 'connect')
  return { socket, text: () => text, closed: () => closed }
}

/** Lets bytes that were sent over loopback be read at the other end, also where the timer is what this process was late for. */
async function arrive(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 30))
  await settleSockets()
}

describe('the time that a client is given', () => {
  test.each([
    { began: 'within the method, so that not even the protocol is known', first: 'G' },
    { began: 'within the head', first: 'GET / HTTP/1.1\r\nHost: a' },
  ])('a head that began $began has 10 s in all, however steadily it drips', async ({ first }) => {
    const { clock, sidecar, upstream } = await setUp(answerOk)
    const client = await connect(sidecar.port)
    client.socket.write(first)
    await arrive()
    const rest = 'ET / HTTP'
    for (const byte of rest) {
      clock.advance(1000)
      client.socket.write(byte)
      await arrive()
    }
    expect(client.closed()).toBe(false)
    clock.advance(1500)
    await expect.poll(client.closed).toBe(true)
    expect(client.text()).toMatch(/^HTTP\/1\.1 408 /)
    expect(upstream.connections()).toBe(0)
  })

  test('the next head on the connection has its own 10 s', async () => {
    const { clock, sidecar } = await setUp(answerOk)
    const client = await connect(sidecar.port)
    client.socket.write(get)
    await expect.poll(client.text).toMatch(/ok$/)
    clock.advance(60_000)
    client.socket.write('GET / HT')
    await arrive()
    clock.advance(9000)
    await arrive()
    expect(client.closed()).toBe(false)
    clock.advance(1500)
    await expect.poll(client.closed).toBe(true)
    expect(client.text()).toMatch(/HTTP\/1\.1 408 /)
  })

  test('an idle connection is closed at its limit without a word', async () => {
    const { clock, sidecar } = await setUp(answerOk)
    const client = await connect(sidecar.port)
    client.socket.write(get)
    await expect.poll(client.text).toMatch(/ok$/)
    const replied = client.text()
    clock.advance(3_599_000)
    await arrive()
    expect(client.closed()).toBe(false)
    clock.advance(2_000)
    await expect.poll(client.closed).toBe(true)
    expect(client.text()).toBe(replied)
  })

  test('a client that never says anything is let go', async () => {
    const { clock, sidecar } = await setUp(answerOk)
    const client = await connect(sidecar.port)
    await expect.poll(() => sidecar.dataPath.openConnections).toBe(1)
    clock.advance(21_000)
    await expect.poll(client.closed).toBe(true)
  })

  test('a tunnel lives as long as something moves in it', async () => {
    const { clock, sidecar } = await setUp((text, socket) => {
      if (text.endsWith('\r\n\r\n'))
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
      if (text.endsWith('ping')) socket.write('pong')
    })
    const client = await connect(sidecar.port)
    client.socket.write('GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
    await expect.poll(client.text).toMatch(/\r\n\r\n$/)
    for (let i = 1; i <= 3; i++) {
      client.socket.write('ping')
      await expect.poll(client.text).toMatch(new RegExp(`(?:pong){${i}}$`))
      clock.advance(3_000_000)
    }
    await arrive()
    expect(client.closed()).toBe(false)
    clock.advance(7_300_000)
    await expect.poll(client.closed).toBe(true)
  })
})

describe('a client that does not read', () => {
  const bodyBytes = 32 * 1024 * 1024
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${bodyBytes}\r\n\r\n`
  const answerMuch = (text: string, socket: net.Socket): void => {
    if (!text.endsWith('\r\n\r\n')) return
    socket.write(head)
    socket.write(Buffer.alloc(bodyBytes, 'x'))
  }

  test('is cut after 5 minutes, and its endpoint is free', async () => {
    const { clock, sidecar } = await setUp(answerMuch)
    const client = await connect(sidecar.port)
    client.socket.write(get)
    await expect.poll(client.text).toMatch(/x$/)
    client.socket.pause()
    await arrive()
    clock.advance(299_000)
    await arrive()
    expect(sidecar.dataPath.openConnections).toBe(1)
    // Again, should the kernel's buffers have taken some of it meanwhile.
    const openAfter5Minutes = (): number => {
      clock.advance(302_000)
      return sidecar.dataPath.openConnections
    }
    await expect.poll(openAfter5Minutes).toBe(0)
    const [cluster] = sidecar.dataPath.clusters.all()
    expect(cluster?.endpoints[0]?.pool.stats.open).toBe(0)
    expect(cluster?.endpoints[0]?.inFlight).toBe(0)
  })

  test('is not cut while it reads, however slowly', async () => {
    const { clock, sidecar } = await setUp(answerMuch)
    const client = await connect(sidecar.port)
    client.socket.write(get)
    let read = 0
    client.socket.on('data', (piece) => {
      read += piece.length
    })
    await expect.poll(() => read).toBeGreaterThan(0)
    while (read < bodyBytes) {
      client.socket.pause()
      clock.advance(290_000)
      const before = read
      client.socket.resume()
      await expect
        .poll(() => read, { interval: 1 })
        .toBeGreaterThan(Math.min(before + 4_000_000, bodyBytes - 1))
    }
    expect(client.closed()).toBe(false)
  })

  test('has no further replies made for it, however many requests it sends', async () => {
    const requests = 4000
    const reply = `HTTP/1.1 200 OK\r\nContent-Length: 16000\r\n\r\n${'x'.repeat(16_000)}`
    let answered = 0
    const { sidecar } = await setUp((text, socket) => {
      if (!text.endsWith('\r\n\r\n')) return
      answered++
      socket.write(reply)
    })
    const client = await connect(sidecar.port)
    client.socket.pause()
    client.socket.write(get.repeat(requests))
    let before = -1
    while (before !== answered) {
      before = answered
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    // What two sockets hold of 64 MB; the rest is not even asked for.
    expect(answered).toBeLessThan(requests / 2)
    client.socket.resume()
    await expect.poll(() => answered, { timeout: 20_000 }).toBe(requests)
    await expect.poll(() => client.text().length).toBe(reply.length * requests)
  })

  test('still gets all of a reply that closes the connection', async () => {
    const { clock, sidecar } = await setUp(answerMuch)
    const client = await connect(sidecar.port)
    client.socket.write(get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
    let read = 0
    client.socket.on('data', (piece) => {
      read += piece.length
    })
    await expect.poll(() => read).toBeGreaterThan(0)
    while (!client.closed()) {
      client.socket.pause()
      // Longer than a client is waited for that has been sent everything.
      clock.advance(1600)
      client.socket.resume()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(read).toBeGreaterThan(bodyBytes)
  })
})

describe('chunked framing', () => {
  const post = 'POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n'
  const chunk = (extension: string): string => `1${extension}\r\nx\r\n`
  const answerWhole = (text: string, socket: net.Socket): void => {
    if (text.endsWith('0\r\n\r\n')) socket.write(ok)
  }

  test.each([
    { name: '4 extensions of 4,000 bytes', body: chunk(`;${'a'.repeat(4000)}`).repeat(4), status: 200 },
    {
      name: '5 extensions of 4,000 bytes, too much together',
      body: chunk(`;${'a'.repeat(4000)}`).repeat(5),
      status: 400,
    },
    { name: '20,000 extensions of one byte', body: chunk(';a').repeat(20_000), status: 400 },
    { name: '20,000 chunks without extensions', body: chunk('').repeat(20_000), status: 200 },
    { name: 'a size of nine digits', body: `000000001\r\nx\r\n`, status: 400 },
  ])('$name: $status', async ({ body, status }) => {
    const { sidecar } = await setUp(answerWhole)
    const { text } = await exchangeRaw(sidecar.port, [`${post}${body}0\r\n\r\n`], (all) => all.endsWith('ok'))
    expect(Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1])).toBe(status)
  })
})

describe('the number of connections', () => {
  test('one too many is closed at once and counted, and there is room again when one goes', async () => {
    const { sidecar, upstream } = await setUp(answerOk, { maxConnections: 2 })
    const { connectionLimit } = sidecar.dataPath
    const clients = [await connect(sidecar.port), await connect(sidecar.port)]
    await expect.poll(() => connectionLimit.open).toBe(2)
    const third = await connect(sidecar.port)
    await expect.poll(third.closed).toBe(true)
    expect(connectionLimit.refused).toBe(1)
    for (const { socket } of clients) socket.write(get)
    for (const { text } of clients) await expect.poll(text).toMatch(/ok$/)
    expect(upstream.connections()).toBe(2)
    clients[0]?.socket.destroy()
    await expect.poll(() => connectionLimit.open).toBe(1)
    const { text } = await exchangeRaw(sidecar.port, [get], (all) => all.endsWith('ok'))
    expect(text).toMatch(/ 200 /)
    expect(connectionLimit.refused).toBe(1)
  })

  test('one over mesh TLS counts from its first byte to its last', async () => {
    const upstream = await startRawServer(answerOk)
    cleanups.push(() => upstream.stop())
    const pair = await startMeshPair(upstream.port)
    cleanups.push(() => pair.stop())
    const inbound = pair.inbound.dataPath.connectionLimit
    await expect.poll(() => inbound.open).toBe(0)
    await exchangeRaw(pair.port, [get], (all) => all.endsWith('ok'))
    expect(inbound.open).toBe(1)
    pair.outbound.stop()
    await expect.poll(() => inbound.open).toBe(0)
  })
})

describe('overload', () => {
  test('step 1: requests are served, and connections end with their reply', async () => {
    const { sidecar } = await setUp(answerOk)
    const { admission } = sidecar.dataPath
    const kept = await connect(sidecar.port)
    kept.socket.write(get)
    await expect.poll(kept.text).toMatch(/ok$/)
    admission.set({ shedding: false, closing: 'plain' })
    kept.socket.write(get)
    await expect.poll(kept.closed).toBe(true)
    expect(kept.text().match(/HTTP\/1\.1 200 /g)).toHaveLength(2)
    expect(kept.text().match(/Connection: close\r\n/g)).toHaveLength(1)
    expect(admission.closed).toBe(1)
    admission.set({ shedding: false, closing: 'none' })
    const { closed } = await exchangeRaw(sidecar.port, [get], (all) => all.endsWith('ok'))
    expect(closed).toBe(false)
  })

  test('step 2: new requests get 503 with a time to come back, those in flight their reply', async () => {
    let release: (() => void) | undefined
    const { sidecar, upstream } = await setUp((text, socket) => {
      if (text.endsWith('\r\n\r\n')) release = () => socket.write(ok)
    })
    const { admission, golden } = sidecar.dataPath
    const inFlight = await connect(sidecar.port)
    inFlight.socket.write(get)
    await expect.poll(() => release).toBeDefined()
    admission.set({ shedding: true, closing: 'all' })
    const { text, closed } = await exchangeRaw(sidecar.port, [get])
    expect(text).toMatch(/^HTTP\/1\.1 503 /)
    expect(text).toMatch(/Retry-After: [1-9]\d*\r\n/)
    expect(text).toContain('weft-error: OM\r\n')
    expect(closed).toBe(true)
    expect(upstream.connections()).toBe(1)
    expect(admission.shed).toBe(1)
    release?.()
    await expect.poll(inFlight.text).toMatch(/^HTTP\/1\.1 200 /)
    const refused = golden.all().reduce((sum, stats) => sum + (stats.responses.get(503) ?? 0), 0)
    expect(refused).toBe(1)
  })

  test('reaches the side that applications are behind as well; a late event loop spares its mesh TLS', async () => {
    const upstream = await startRawServer(answerOk)
    cleanups.push(() => upstream.stop())
    const pair = await startMeshPair(upstream.port)
    cleanups.push(() => pair.stop())
    const { admission } = pair.inbound.dataPath
    const ask = (): Promise<{ readonly text: string }> =>
      exchangeRaw(pair.port, [get], (all) => /\r\n\r\n.+/s.test(all))
    admission.set({ shedding: false, closing: 'plain' })
    await ask()
    await ask()
    expect(pair.inbound.dataPath.serveStats.inbound.opened).toBe(2)
    expect(admission.closed).toBe(0)
    admission.set({ shedding: false, closing: 'all' })
    await ask()
    await ask()
    expect(admission.closed).toBe(2)
    admission.set({ shedding: true, closing: 'all' })
    expect((await ask()).text).toMatch(/^HTTP\/1\.1 503 [^]*Retry-After/)
    expect(upstream.received.join('').match(/GET/g)).toHaveLength(4)
  })
})
