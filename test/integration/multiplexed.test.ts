/** HTTP/1 between two sidecars: many exchanges on one connection, and nothing of any of them is changed by that. */
import http from 'node:http'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { startApplication } from '../support/application.ts'
import { type HttpApplication, startHttpApplication } from '../support/http-application.ts'
import { type MeshPair, startMeshPair } from '../support/mesh-pair.ts'
import { exchangeRaw, RawClient, type RawServer, settleSockets, startRawServer } from '../support/raw-tcp.ts'

const running: { stop: () => unknown }[] = []
afterEach(async () => {
  for (const each of running.splice(0).toReversed()) await each.stop()
})

async function pairTo({ port }: { readonly port: number }, alpn?: readonly string[]): Promise<MeshPair> {
  const pair = await startMeshPair(port, {}, alpn)
  running.push(pair)
  return pair
}

async function application(...given: Parameters<typeof startHttpApplication>): Promise<HttpApplication> {
  const app = await startHttpApplication(...given)
  running.push(app)
  return app
}

async function rawApplication(...given: Parameters<typeof startRawServer>): Promise<RawServer> {
  const app = await startRawServer(...given)
  running.push(app)
  return app
}

function rawClient({ port }: MeshPair): RawClient {
  const client = new RawClient(port)
  onTestFinished(() => client.destroy())
  return client
}

/** Connections between the two sidecars; the first one only found out whether the port is open. */
const accepted = ({ inbound }: MeshPair): number => inbound.dataPath.serveStats.inbound.opened - 1
const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: app.test\r\n${more}\r\n`

test('requests of sixty clients at once share one connection, and each gets its own reply', async () => {
  const pair = await pairTo(
    await application('app', (request, response) => response.end(`for ${request.url}`)),
  )
  const clients = Array.from({ length: 60 }, () => rawClient(pair))
  for (const round of [1, 2]) {
    for (const [i, client] of clients.entries()) client.write(get(`/${round}/${i}`))
    const replies = await Promise.all(
      clients.map((client, i) => client.take((text) => text.includes(`for /${round}/${i}`))),
    )
    expect(replies.every((reply) => reply.startsWith('HTTP/1.1 200 OK\r\n'))).toBe(true)
  }
  expect(accepted(pair)).toBe(1)
})

test('names keep their case and their order both ways, and a reason its words', async () => {
  const app = await rawApplication((text, socket) => {
    if (text.endsWith('\r\n\r\n'))
      socket.write('HTTP/1.1 299 As Good As New\r\nX-ODd: Reply\r\nlower: 1\r\nContent-Length: 2\r\n\r\nok')
  })
  const pair = await pairTo(app)
  const { text } = await exchangeRaw(
    pair.port,
    [get('/a?b#', 'X-oDD: Request\r\nlower: 2\r\nX-Odd: again\r\n').replace('#', '')],
    (seen) => seen.endsWith('ok'),
  )
  expect(text).toBe('HTTP/1.1 299 As Good As New\r\nX-ODd: Reply\r\nlower: 1\r\nContent-Length: 2\r\n\r\nok')
  // Behind them stands who the client is.
  const sent = app.received[0]?.replaceAll(/^(?:x-forwarded-client-cert|weft-client-id): .*\r\n/gm, '')
  expect(sent).toBe(get('/a?b', 'X-oDD: Request\r\nlower: 2\r\nX-Odd: again\r\n'))
})

test('what came in chunks and is all there at once arrives whole, both ways', async () => {
  const app = await rawApplication((text, socket) => {
    if (text.endsWith('0\r\n\r\n') || text.endsWith('hello'))
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n')
  })
  const pair = await pairTo(app)
  const post =
    'POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
  const { text } = await exchangeRaw(pair.port, [post], (seen) => /abc(?:\r\n0\r\n\r\n)?$/.test(seen))
  expect(text).toMatch(
    /Content-Length: 3\r\n\r\nabc$|Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n$/,
  )
  expect(app.received[0]).toMatch(
    /Content-Length: 5\r\n[^]*\r\n\r\nhello$|Transfer-Encoding: chunked\r\n[^]*\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/,
  )
})

test.each(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST', 'BREW'])(
  '%s with chunks that hold nothing has an end for the application, and the next request is one of its own',
  async (method) => {
    const app = await startApplication(({ socket }) => socket.write('HTTP/1.1 204 No Content\r\n\r\n'))
    running.push(app)
    const pair = await pairTo(app)
    const empty = get('/1', 'Transfer-Encoding: chunked\r\n').replace('GET', method)
    const replies = 'HTTP/1.1 204 No Content\r\n\r\n'.repeat(2)
    const { text } = await exchangeRaw(
      pair.port,
      [`${empty}0\r\n\r\n${get('/2')}`],
      (seen) => seen === replies,
    )
    expect(text).toBe(replies)
    expect(app.requests.map(({ head }) => head.split(' HTTP')[0])).toEqual([`${method} /1`, 'GET /2'])
    expect(app.connections()).toBe(1)
  },
)

test('chunks and trailers pass both ways', async () => {
  const app = await rawApplication((text, socket) => {
    if (!text.endsWith('X-Request-End: yes\r\n\r\n')) return
    socket.write(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Reply-End: too\r\n\r\n',
    )
  })
  const pair = await pairTo(app)
  const post =
    'POST / HTTP/1.1\r\nHost: app.test\r\nConnection: TE\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n'
  const { text } = await exchangeRaw(
    pair.port,
    [post, '5\r\nhello\r\n', '0\r\nX-Request-End: yes\r\n\r\n'],
    (seen) => seen.endsWith('too\r\n\r\n'),
  )
  expect(text).toBe(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Reply-End: too\r\n\r\n',
  )
  expect(app.received[0]).toContain('TE: trailers')
})

test.each([
  ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'],
  ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', 'HTTP/1.1 204 No Content\r\n\r\n'],
  [
    'GET',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
  ],
  [
    'GET',
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  ],
])('%s: %j arrives as that, and the connection serves on', async (method, reply, expected) => {
  const app = await rawApplication((text, socket) => {
    if (text.endsWith('\r\n\r\n')) socket.write(reply)
  })
  const pair = await pairTo(app)
  const client = rawClient(pair)
  for (const _ of [1, 2]) {
    client.write(get('/').replace('GET', method))
    expect(await client.take((text) => text === expected)).toBe(expected)
  }
  expect(accepted(pair)).toBe(1)
})

test('a reply that its application ends by closing has an end for the client, whose connection stays', async () => {
  const app = await rawApplication((text, socket) => {
    if (text.endsWith('\r\n\r\n')) socket.end('HTTP/1.0 200 OK\r\n\r\nall of it')
  })
  const client = rawClient(await pairTo(app))
  for (const _ of [1, 2]) {
    client.write(get('/'))
    expect(await client.take((text) => text.endsWith('0\r\n\r\n'))).toContain(
      '\r\n\r\n9\r\nall of it\r\n0\r\n\r\n',
    )
  }
})

test('a reply that breaks off looks broken, and other exchanges on the connection go on', async () => {
  const app = await rawApplication((text, socket) => {
    if (text.includes('/broken')) {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nsome')
      setImmediate(() => socket.resetAndDestroy())
    } else if (text.endsWith('GO')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone')
  })
  const pair = await pairTo(app)
  const other = rawClient(pair)
  other.write('POST /slow HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\n\r\nGO')
  const { text, closed } = await exchangeRaw(pair.port, [get('/broken')])
  expect(text.length).toBeLessThan(1000)
  expect(closed).toBe(true)
  other.write('GO')
  expect(await other.take((seen) => seen.endsWith('done'))).toContain('200 OK')
  expect(accepted(pair)).toBe(1)
})

test('a client that leaves takes its request from the application, and nobody else’s', async () => {
  const app = await rawApplication((text, socket) => {
    if (text.endsWith('GO')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone')
  })
  const pair = await pairTo(app)
  const [leaving, staying] = [rawClient(pair), rawClient(pair)]
  leaving.write(get('/forever'))
  await expect.poll(() => app.received.length).toBe(1)
  staying.write('POST /b HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\n')
  await expect.poll(() => app.received.length).toBe(2)
  leaving.socket.resetAndDestroy()
  await expect.poll(() => app.isOpen(0)).toBe(false)
  staying.write('GO')
  expect(await staying.take((text) => text.endsWith('done'))).toContain('200 OK')
  expect(accepted(pair)).toBe(1)
})

test('a client that waits to be told to go on is told by the application', async () => {
  const app = await rawApplication((text, socket) => {
    if (text.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 100 Continue\r\n\r\n')
    else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  })
  const client = rawClient(await pairTo(app))
  client.write('POST / HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n')
  expect(await client.take((text) => text.endsWith('\r\n\r\n'))).toBe('HTTP/1.1 100 Continue\r\n\r\n')
  expect(app.received[0]).not.toContain('body')
  client.write('body')
  expect(await client.take((text) => text.endsWith('\r\n\r\n'))).toContain('200 OK')
})

test('an upgrade has a connection for itself', async () => {
  const server = http.createServer((_, response) => response.writeHead(426).end('Upgrade Required'))
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  running.push(
    { stop: () => new Promise((resolve) => server.close(resolve)) },
    { stop: () => sockets.close() },
  )
  const pair = await pairTo(server.address() as { port: number })
  const upgrade =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'
  const first = rawClient(pair)
  first.write(get('/', upgrade))
  expect(await first.take((text) => text.endsWith('\r\n\r\n'))).toContain('101 Switching Protocols')
  const { text } = await exchangeRaw(pair.port, [get('/')], (seen) => seen.includes('Upgrade Required'))
  expect(text).toContain('426')
  expect(accepted(pair)).toBe(2)
})

test('a sidecar that does not speak it gets a connection for each exchange, and no request is lost', async () => {
  const pair = await pairTo(await application('app'), ['weft-h1', 'weft-tcp'])
  const clients = Array.from({ length: 8 }, () => rawClient(pair))
  for (const client of clients) client.write(get('/'))
  const replies = await Promise.all(clients.map((client) => client.take((text) => text.endsWith('app'))))
  expect(replies.every((reply) => reply.includes('200 OK'))).toBe(true)
  // One that was refused, and one for each.
  expect(accepted(pair)).toBe(9)
})

test('a sidecar that drains finishes what is under way, and takes its leave before it is sent more', async () => {
  const app = await rawApplication((text, socket) => {
    if (text.endsWith('GO')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone')
  })
  const pair = await pairTo(app)
  const client = rawClient(pair)
  client.write('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\n')
  await expect.poll(() => app.received.length).toBe(1)
  const drained = pair.inbound.dataPath.drain()
  await settleSockets()
  client.write('GO')
  expect(await client.take((text) => text.endsWith('done'))).toContain('200 OK')
  await drained
})

test('small messages in chunks, which come whole, are framed as what they have become, both ways', async () => {
  const pair = await pairTo(
    await application('app', (request, response, body) => {
      response.write(`${request.headers['content-length'] ?? 'chunked'}: ${body}`)
      response.end()
    }),
  )
  for (let i = 0; i < 5; i++) {
    const reply = await new Promise<string>((resolve, reject) => {
      const headers = { host: 'app.test', 'transfer-encoding': 'chunked' }
      const request = http.request(
        { host: '127.0.0.1', port: pair.port, method: 'POST', headers },
        (answer) => {
          let text = ''
          answer.on('data', (piece: Buffer) => {
            text += piece.toString()
          })
          answer.on('end', () => resolve(text))
          answer.on('error', reject)
        },
      )
      request.on('error', reject)
      request.end('hello')
    })
    expect(reply).toMatch(/^(?:5|chunked): hello$/)
  }
})
