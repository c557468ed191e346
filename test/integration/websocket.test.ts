/** WebSockets, and upgrades at large, through two sidecars with mTLS between them. */
import { once } from 'node:events'
import net from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type MeshPair, startMeshPair } from '../support/mesh-pair.ts'
import { exchangeRaw, type RawServer, startRawServer } from '../support/raw-tcp.ts'

const frameBytes = 1024 * 1024

describe('a WebSocket through two sidecars', () => {
  let pair: MeshPair
  let server: WebSocketServer
  /** The application's end of the connection of the current test. */
  let accepted: WebSocket
  let client: WebSocket

  beforeAll(async () => {
    server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    await once(server, 'listening')
    pair = await startMeshPair((server.address() as net.AddressInfo).port)
  })

  afterAll(() => {
    pair.stop()
    server.close()
  })

  beforeEach(async () => {
    const connected = once(server, 'connection')
    client = new WebSocket(`ws://127.0.0.1:${pair.port}/chat`, {
      headers: { host: 'app.test' },
      perMessageDeflate: false,
    })
    await once(client, 'open')
    accepted = (await connected)[0] as WebSocket
  })

  afterEach(() => {
    client.terminate()
    accepted.terminate()
  })

  const fromClient = (): [WebSocket, WebSocket] => [client, accepted]
  const fromServer = (): [WebSocket, WebSocket] => [accepted, client]
  const directions = [
    { direction: 'client to application', ends: fromClient },
    { direction: 'application to client', ends: fromServer },
  ]

  describe.each(directions)('$direction', ({ ends }) => {
    test('text stays text, to the byte', async () => {
      const [from, to] = ends()
      from.send('häßlich \u{1f44b}')
      const [data, isBinary] = (await once(to, 'message')) as [Buffer, boolean]
      expect(isBinary).toBe(false)
      expect(data.toString()).toBe('häßlich \u{1f44b}')
    })

    test('binary stays binary: every value of a byte', async () => {
      const [from, to] = ends()
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
      from.send(bytes)
      const [data, isBinary] = (await once(to, 'message')) as [Buffer, boolean]
      expect(isBinary).toBe(true)
      expect(data.equals(bytes)).toBe(true)
    })

    test('a ping is answered by a pong with the same content', async () => {
      const [from] = ends()
      const pong = once(from, 'pong')
      from.ping('are you there')
      expect(String((await pong)[0])).toBe('are you there')
    })

    test.each([
      { code: 1000, reason: 'done' },
      { code: 1001, reason: '' },
      { code: 4321, reason: 'häßlich' },
    ])('closes with $code "$reason", at both ends', async ({ code, reason }) => {
      const [from, to] = ends()
      const closed = Promise.all([once(from, 'close'), once(to, 'close')])
      from.close(code, reason)
      for (const [gotCode, gotReason] of await closed) {
        expect(gotCode).toBe(code)
        expect(String(gotReason)).toBe(reason)
      }
    })

    test('an end without a close frame arrives as one (1006)', async () => {
      const [from, to] = ends()
      const closed = once(to, 'close')
      from.terminate()
      expect((await closed)[0]).toBe(1006)
    })

    test('frames of 1 MB arrive whole', async () => {
      const [from, to] = ends()
      const frame = Buffer.alloc(frameBytes, 'weft')
      for (let i = 0; i < 8; i++) {
        frame.writeUInt32BE(i, 0)
        from.send(Buffer.from(frame))
      }
      let seen = 0
      await new Promise<void>((resolve) => {
        to.on('message', (data: Buffer) => {
          expect(data).toHaveLength(frameBytes)
          expect(data.readUInt32BE(0)).toBe(seen)
          expect(data.subarray(-4).toString()).toBe('weft')
          if (++seen === 8) resolve()
        })
      })
    })

    test('10,000 messages arrive in order', async () => {
      const [from, to] = ends()
      const count = 10_000
      let next = 0
      const all = new Promise<void>((resolve, reject) => {
        to.on('message', (data: Buffer) => {
          if (data.toString() !== `message ${next}`)
            reject(new Error(`${data.toString()} instead of ${next}`))
          if (++next === count) resolve()
        })
      })
      for (let i = 0; i < count; i++) from.send(`message ${i}`)
      await all
      expect(next).toBe(count)
    })
  })
})

const upgradeHead = (token: string, more = ''): string =>
  `GET /up HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade${more === '' ? '' : ', X-More'}\r\nUpgrade: ${token}\r\n${more}\r\n`
const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n'

describe('an upgrade through two sidecars', () => {
  let pair: MeshPair
  let upstream: RawServer
  /** What the application does with what a connection has sent so far. */
  let answer: (text: string, socket: net.Socket) => void
  const sockets: net.Socket[] = []

  beforeAll(async () => {
    upstream = await startRawServer((text, socket) => answer(text, socket), { allowHalfOpen: true })
    pair = await startMeshPair(upstream.port)
  })

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy()
  })

  afterAll(async () => {
    pair.stop()
    await upstream.stop()
  })

  function connect(): net.Socket {
    const socket = net.connect({ port: pair.port, host: '127.0.0.1', allowHalfOpen: true })
    socket.on('error', () => undefined)
    sockets.push(socket)
    return socket
  }

  /** Collects until `pattern` is there. */
  function until(socket: net.Socket, pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      let text = ''
      socket.on('data', (piece) => {
        text += piece.toString('latin1')
        if (pattern.test(text)) resolve(text)
      })
      socket.once('close', () => reject(new Error(`closed after ${JSON.stringify(text)}`)))
    })
  }

  const headSeen = (text: string): boolean => text.includes('\r\n\r\n')
  const lastReceived = (): string => upstream.received.at(-1) ?? ''

  test('the handshake carries the token and its own fields, and the reply names it', async () => {
    answer = (text, socket) => {
      if (text.endsWith('\r\n\r\n')) socket.write(switching)
    }
    const reply = await exchangeRaw(pair.port, [upgradeHead('chat', 'Sec-WebSocket-Key: abc\r\n')], headSeen)
    expect(reply.text).toMatch(/^HTTP\/1\.1 101 /)
    expect(reply.text).toContain('Connection: Upgrade\r\n')
    expect(reply.text).toContain('Upgrade: chat\r\n')
    expect(lastReceived()).toContain('Upgrade: chat\r\n')
    expect(lastReceived()).toContain('Sec-WebSocket-Key: abc\r\n')
  })

  test.each(['client', 'application'])('the %s may stop sending and still be sent to', async (first) => {
    let toApplication: net.Socket | undefined
    let ended = false
    answer = (text, socket) => {
      if (toApplication === undefined && text.endsWith('\r\n\r\n')) {
        toApplication = socket
        socket.on('end', () => {
          ended = true
          if (first === 'client') socket.end('late answer')
        })
        socket.write(switching)
        if (first === 'application') socket.end('all I have')
      }
    }
    const client = connect()
    client.write(upgradeHead('chat'))
    if (first === 'client') {
      await until(client, /\r\n\r\n$/)
      const text = until(client, /late answer$/)
      client.end('last words')
      await text
    } else {
      await until(client, /all I have$/)
      if (!client.readableEnded) await once(client, 'end')
      expect(ended).toBe(false)
      client.end('last words')
    }
    await expect.poll(() => ended).toBe(true)
    expect(lastReceived()).toMatch(/\r\n\r\nlast words$/)
    await expect.poll(() => client.destroyed).toBe(true)
  })

  test('a client that stops sending before the 101 still gets its tunnel', async () => {
    let ended = false
    answer = (text, socket) => {
      if (!text.endsWith('\r\n\r\n')) return
      socket.on('end', () => {
        ended = true
        socket.end('bye')
      })
      setTimeout(() => socket.write(switching), 50)
    }
    const client = connect()
    client.end(upgradeHead('chat'))
    await until(client, /\r\n\r\nbye$/)
    expect(ended).toBe(true)
  })

  test.each([
    { after: 'in the same packet', pieces: [`${upgradeHead('chat')}early`] },
    { after: 'in a packet of their own', pieces: [upgradeHead('chat'), 'early'] },
    {
      after: 'with Connection: close beside the upgrade',
      pieces: [`${upgradeHead('chat').replace('Upgrade\r\n', 'close, Upgrade\r\n')}early`],
    },
  ])('bytes sent before the 101, $after, wait for it and then arrive', async ({ pieces }) => {
    let before = ''
    answer = (text, socket) => {
      if (!text.endsWith('\r\n\r\n')) {
        if (text.endsWith('early')) socket.write('got it')
        return
      }
      setTimeout(() => {
        before = lastReceived()
        socket.write(switching)
      }, 50)
    }
    const reply = await exchangeRaw(pair.port, pieces, (text) => text.endsWith('got it'))
    expect(reply.text).toMatch(/^HTTP\/1\.1 101 /)
    expect(before).toMatch(/\r\n\r\n$/)
    expect(lastReceived()).toMatch(/\r\n\r\nearly$/)
  })

  test.each([
    { refusal: '200', reply: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno' },
    {
      refusal: '200 that names the token',
      reply:
        'HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: chat\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n',
    },
    { refusal: '426', reply: 'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno' },
  ])(
    'bytes sent before a $refusal never reach the application, though they read like a request',
    async ({ reply }) => {
      answer = (text, socket) => {
        if (text.endsWith('\r\n\r\n')) setTimeout(() => socket.write(reply), 50)
      }
      const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n'
      const connections = upstream.connections()
      const { text, closed } = await exchangeRaw(pair.port, [`${upgradeHead('chat')}${smuggled}`])
      expect(closed).toBe(true)
      expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
      expect(text).toMatch(/connection: close\r\n/i)
      for (const received of upstream.received.slice(connections - 1))
        expect(received).not.toMatch(/smuggled/)
    },
  )

  test('a 200 leaves the connection in HTTP framing: it serves the next request', async () => {
    answer = (text, socket) => {
      if (text.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    }
    const client = connect()
    client.write(upgradeHead('chat'))
    const first = await until(client, /ok$/)
    expect(first).toMatch(/^HTTP\/1\.1 200 /)
    expect(first).not.toMatch(/upgrade/i)
    client.write('GET /next HTTP/1.1\r\nHost: app.test\r\n\r\n')
    expect(await until(client, /ok$/)).toMatch(/^HTTP\/1\.1 200 /)
    expect(lastReceived()).toContain('GET /next ')
  })

  test.each([
    { what: 'names another token', head: switching.replace('chat', 'other'), ask: upgradeHead('chat') },
    {
      what: 'names no token',
      head: 'HTTP/1.1 101 Switching Protocols\r\n\r\n',
      ask: upgradeHead('chat'),
    },
    { what: 'nobody asked for', head: switching, ask: 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n' },
  ])('a 101 that $what is a 502, and its connection is not used again', async ({ head, ask }) => {
    let closed = false
    answer = (text, socket) => {
      if (!text.endsWith('\r\n\r\n')) return
      socket.on('end', () => {
        closed = true
      })
      socket.write(head)
    }
    const reply = await exchangeRaw(pair.port, [ask], (text) => /\r\n\r\n.+\n/s.test(text))
    expect(reply.text).toMatch(/^HTTP\/1\.1 502 /)
    await expect.poll(() => closed).toBe(true)
  })

  test.each(['h2c', 'H2C', 'h2c, chat', 'h2', 'HTTP/2.0'])(
    'an upgrade to %s is not passed on',
    async (token) => {
      answer = (text, socket) => {
        if (text.endsWith('\r\n\r\n')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      }
      const ask = upgradeHead(token, 'HTTP2-Settings: AAMAAABk\r\n').replace('X-More', 'HTTP2-Settings')
      const reply = await exchangeRaw(pair.port, [ask], (text) => text.endsWith('ok'))
      expect(reply.text).toMatch(/^HTTP\/1\.1 200 /)
      expect(lastReceived()).not.toMatch(/upgrade|http2-settings/i)
    },
  )

  test('an upgrade with a body is served as what it is without it', async () => {
    answer = (text, socket) => {
      if (text.endsWith('abc')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    }
    const ask = `${upgradeHead('chat', 'Content-Length: 3\r\n')}abc`
    const reply = await exchangeRaw(pair.port, [ask], (text) => text.endsWith('ok'))
    expect(reply.text).toMatch(/^HTTP\/1\.1 200 /)
    expect(lastReceived()).not.toMatch(/upgrade/i)
  })

  test('CONNECT is refused, and nothing that follows it reaches the application', async () => {
    const connections = upstream.connections()
    const ask =
      'CONNECT app.test:80 HTTP/1.1\r\nHost: app.test:80\r\n\r\nGET / HTTP/1.1\r\nHost: app.test\r\n\r\n'
    const { text, closed } = await exchangeRaw(pair.port, [ask])
    expect(text).toMatch(/^HTTP\/1\.1 405 /)
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    expect(closed).toBe(true)
    expect(upstream.connections()).toBe(connections)
  })

  test('an application that dies takes the client with it, and the other way round', async () => {
    let toApplication: net.Socket | undefined
    let gone = false
    answer = (text, socket) => {
      if (!text.endsWith('\r\n\r\n')) return
      toApplication = socket
      socket.on('close', () => {
        gone = true
      })
      socket.write(switching)
    }
    const first = connect()
    first.write(upgradeHead('chat'))
    await until(first, /\r\n\r\n$/)
    toApplication?.resetAndDestroy()
    await expect.poll(() => first.destroyed).toBe(true)
    const second = connect()
    second.write(upgradeHead('chat'))
    await until(second, /\r\n\r\n$/)
    gone = false
    second.resetAndDestroy()
    await expect.poll(() => gone).toBe(true)
  })

  test('a client that has stopped sending and then dies stops what the application sends it', async () => {
    let gone = false
    answer = (text, socket) => {
      if (!text.endsWith('\r\n\r\n')) return
      socket.on('close', () => {
        gone = true
        clearInterval(sending)
      })
      socket.write(switching)
      const sending = setInterval(() => socket.write('x'.repeat(1000)), 5)
    }
    const client = connect()
    client.write(upgradeHead('chat'))
    await until(client, /\r\n\r\n/)
    client.end()
    await new Promise((resolve) => setTimeout(resolve, 100))
    client.resetAndDestroy()
    await expect.poll(() => gone).toBe(true)
  })
})
