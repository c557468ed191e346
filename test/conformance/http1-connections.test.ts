/** When a connection lives on: the pool's rules towards the application, keep-alive and pipelining towards the client. */
import type net from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { freePorts } from '../../cli/demo/ports.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { type Application, type ReceivedRequest, startApplication } from '../support/application.ts'
import { type PlainDataPath, startPlainDataPath } from '../support/plain-data-path.ts'
import { RawClient, settleSockets, settleUntil, startRawServer } from '../support/raw-tcp.ts'

const get = (target: string, fields = ''): string =>
  `GET ${target} HTTP/1.1\r\nHost: app.test\r\n${fields}\r\n`
const post = (fields: string, body: string): string =>
  `POST / HTTP/1.1\r\nHost: app.test\r\n${fields}\r\n${body}`
const reply = (content: string, fields = ''): string =>
  `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${content.length}\r\n\r\n${content}`
const upgrade = 'Connection: Upgrade\r\nUpgrade: echo\r\n'

let clock: ManualClock
let application: Application
let sidecar: PlainDataPath
let clients: RawClient[]
/** What the application does; `/next` it answers by itself. */
let answer: (request: ReceivedRequest) => void
let answerHead: (request: ReceivedRequest) => void

beforeEach(async () => {
  clock = new ManualClock()
  clients = []
  answer = ({ socket }) => socket.write(reply('ok'))
  answerHead = () => undefined
  application = await startApplication(
    (request) => {
      if (request.head.startsWith('GET /next ')) request.socket.write(reply('next'))
      else answer(request)
    },
    (request) => answerHead(request),
  )
  sidecar = await startPlainDataPath([application.port], { clock, outboundPolicy: 'allow' })
})

afterEach(async () => {
  for (const client of clients) client.destroy()
  sidecar.stop()
  await application.stop()
})

function connect(port = sidecar.port): RawClient {
  const client = new RawClient(port)
  clients.push(client)
  return client
}

const isReply = (text: string, content: string): boolean => text.endsWith(`\r\n\r\n${content}`)

/** Sends `request` and waits for a reply with `content`. */
async function ask(request: string, content: string, client = connect()): Promise<RawClient> {
  client.write(request)
  expect(await client.take((text) => isReply(text, content))).toMatch(/^HTTP\/1\.1 200 /)
  return client
}

/** The connection that the application gets the next request on. */
async function nextConnection(): Promise<number> {
  await settleSockets()
  await ask(get('/next'), 'next')
  return application.requests.at(-1)?.connection as number
}

describe('a connection goes back to the pool', () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['after a complete reply', get('/'), reply('ok')],
    ['after an empty reply', get('/'), reply('')],
    [
      'after the last chunk',
      get('/'),
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ],
    ['after a reply without a body', get('/'), 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['after an error of the application', get('/'), 'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'],
    ['after a request with a body', post('Content-Length: 3\r\n', 'abc'), reply('ok')],
    ['after a chunked request', post('Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n'), reply('ok')],
    ['although its client closes', get('/', 'Connection: close\r\n'), reply('ok')],
    ['although its client speaks HTTP/1.0', 'GET / HTTP/1.0\r\nHost: app.test\r\n\r\n', reply('ok')],
  ]
  test.each(rows)('%s', async (_, request, text) => {
    answer = ({ socket }) => socket.write(text)
    const client = connect()
    client.write(request)
    await client.take((sofar) => /\r\n\r\n/.test(sofar))
    expect(await nextConnection()).toBe(0)
  })
})

describe('a connection is given up', () => {
  const clean = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n'
  const rows: readonly (readonly [string, string, string])[] = [
    ['when the framing is in doubt', get('/'), `${clean}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['when bytes are left over', get('/'), `${clean}\r\nokx`],
    ['when the application closes', get('/'), `${clean}Connection: close\r\n\r\nok`],
    ['when the application speaks HTTP/1.0', get('/'), 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    [
      'when HTTP/1.0 offers keep-alive',
      get('/'),
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok',
    ],
    ['when an unasked 101 comes', get('/'), `HTTP/1.1 101 Switching Protocols\r\n${upgrade}\r\n`],
  ]
  test.each(rows)('%s', async (_, request, text) => {
    answer = ({ socket }) => socket.write(text)
    const client = connect()
    client.write(request)
    await client.take((sofar) => /\r\n\r\n/.test(sofar))
    expect(await nextConnection()).toBe(1)
    expect(application.isOpen(0)).toBe(false)
  })

  test('when its reply came before the whole request', async () => {
    answerHead = ({ head, socket }) => {
      if (head.startsWith('POST')) socket.write(reply('early'))
    }
    await ask(post('Content-Length: 10\r\n', 'abc'), 'early')
    expect(await nextConnection()).toBe(1)
    expect(application.isOpen(0)).toBe(false)
  })

  test.each([
    ['before the reply', ''],
    ['in the middle of the reply', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'],
  ])('when the client goes away %s', async (_, text) => {
    answer = ({ socket }) => socket.write(text)
    const client = connect()
    client.write(get('/'))
    if (text === '') while (application.requests.length === 0) await settleSockets()
    else await client.take((sofar) => isReply(sofar, 'abc'))
    client.socket.resetAndDestroy()
    expect(await nextConnection()).toBe(1)
    await settleUntil(() => !application.isOpen(0))
    expect(application.isOpen(0)).toBe(false)
  })

  test('when it became a tunnel', async () => {
    answer = ({ nth, socket }) => {
      if (nth > 1) return
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${upgrade}\r\nhello`)
      socket.on('data', (piece) => socket.write(piece))
    }
    const client = connect()
    client.write(get('/', upgrade))
    expect(await client.take((text) => text.endsWith('hello'))).toBe(
      `HTTP/1.1 101 Switching Protocols\r\n${upgrade}\r\nhello`,
    )
    client.write(get('/'))
    expect(await client.take((text) => text.endsWith('\r\n\r\n')), 'bytes, not a request').toBe(get('/'))
    expect(await nextConnection()).toBe(1)
    expect(application.isOpen(0), 'the tunnel goes on').toBe(true)
    client.destroy()
    await settleUntil(() => !application.isOpen(0))
    expect(application.isOpen(0)).toBe(false)
  })
})

describe('an idle connection', () => {
  const idle: net.Socket[] = []

  beforeEach(async () => {
    idle.length = 0
    answer = ({ socket }) => {
      idle.push(socket)
      socket.write(reply('ok'))
    }
    await ask(get('/'), 'ok')
  })

  test.each([
    ['a reply that nobody asked for', (socket: net.Socket) => socket.write(reply('poison'))],
    ['a single byte', (socket: net.Socket) => socket.write('\r')],
    ['its end', (socket: net.Socket) => socket.end()],
    ['a reset', (socket: net.Socket) => socket.resetAndDestroy()],
  ])('is destroyed by %s', async (_, act) => {
    act(idle[0] as net.Socket)
    expect(await nextConnection()).toBe(1)
    expect(application.isOpen(0)).toBe(false)
  })

  test('that was used last is lent first', async () => {
    const held: ReceivedRequest[] = []
    answer = (request) => held.push(request)
    const waiting = [connect(), connect(), connect()]
    for (const client of waiting) client.write(get('/'))
    while (held.length < 3) await settleSockets()
    expect(application.connections()).toBe(3)
    for (const { connection, socket } of [held[2], held[0], held[1]] as ReceivedRequest[]) {
      socket.write(reply('ok'))
      await settleSockets()
      expect(await nextConnection()).toBe(connection)
    }
    expect(await nextConnection()).toBe(held[1]?.connection)
    expect(application.connections()).toBe(3)
  })
})

async function openInbound(): Promise<number> {
  const [port = 0] = await freePorts(1)
  const listen = { host: '127.0.0.1', port }
  const applicationAddress = { applicationHost: '127.0.0.1', applicationPort: application.port }
  sidecar.dataPath.setInbound({
    ports: [{ listen, ...applicationAddress, protocol: 'detect' }],
  })
  while (sidecar.dataPath.inboundPorts.length === 0) await settleSockets()
  return port
}

describe('an idle connection is let go before the 5 s after which common servers close it', () => {
  type Side = { readonly port: number; readonly host: string }
  const sides: readonly (readonly [string, () => Side | Promise<Side>])[] = [
    ['in the mesh', () => ({ port: sidecar.port, host: 'app.test' })],
    ['beyond the mesh', () => ({ port: sidecar.port, host: `127.0.0.1:${application.port}` })],
    ['to the own application', async () => ({ port: await openInbound(), host: 'app.test' })],
  ]
  test.each(sides)('%s', async (_, side) => {
    const { port, host } = await side()
    const request = get('/').replace('app.test', host)
    clock.advance(500)
    await ask(request, 'ok', connect(port))
    clock.advance(3_900)
    await ask(request, 'ok', connect(port))
    expect(application.connections()).toBe(1)
    clock.advance(4_001)
    await ask(request, 'ok', connect(port))
    expect(application.connections()).toBe(2)
    clock.advance(4_999)
    await settleUntil(() => !application.isOpen(1))
    expect(application.isOpen(1), 'nobody had to ask').toBe(false)
  })
})

test.each([
  ['timeout=2', 900, 1_001],
  ['timeout=2, max=9', 900, 1_001],
  ['max=9, timeout=3', 1_900, 2_001],
  ['timeout=60', 3_900, 4_001],
  ['timeout=x', 3_900, 4_001],
])(
  'Keep-Alive: %s of the application shortens its stay, less a second for the way',
  async (value, ok, late) => {
    answer = ({ socket }) => socket.write(reply('ok', `Keep-Alive: ${value}\r\n`))
    await ask(get('/'), 'ok')
    clock.advance(ok)
    await ask(get('/'), 'ok')
    expect(application.connections()).toBe(1)
    clock.advance(late)
    await ask(get('/'), 'ok')
    expect(application.connections()).toBe(2)
  },
)

test.each([0, 1])('Keep-Alive: timeout=%i is no stay at all', async (seconds) => {
  answer = ({ socket }) => socket.write(reply('ok', `Keep-Alive: timeout=${seconds}\r\n`))
  await ask(get('/'), 'ok')
  expect(await nextConnection()).toBe(1)
})

test('the shortest stay ends without anybody asking, whatever is older', async () => {
  const held: ReceivedRequest[] = []
  answer = (request) => held.push(request)
  for (const client of [connect(), connect()]) client.write(get('/'))
  while (held.length < 2) await settleSockets()
  held[0]?.socket.write(reply('ok'))
  await settleSockets()
  held[1]?.socket.write(reply('ok', 'Keep-Alive: timeout=2\r\n'))
  await settleSockets()
  clock.advance(2_000)
  await settleUntil(() => !application.isOpen(1))
  expect([application.isOpen(0), application.isOpen(1)]).toEqual([true, false])
})

describe('towards the client', () => {
  const old = (fields: string): string => `GET / HTTP/1.0\r\nHost: app.test\r\n${fields}\r\n`
  test.each([
    ['HTTP/1.1', get('/'), '', false],
    ['HTTP/1.1 with close', get('/', 'Connection: close\r\n'), 'Connection: close\r\n', true],
    [
      'HTTP/1.1 with keep-alive, close',
      get('/', 'Connection: keep-alive, close\r\n'),
      'Connection: close\r\n',
      true,
    ],
    ['HTTP/1.0', old(''), 'Connection: close\r\n', true],
    ['HTTP/1.0 with keep-alive', old('Connection: keep-alive\r\n'), 'Connection: keep-alive\r\n', false],
    [
      'HTTP/1.0 with Keep-Alive, X',
      old('Connection: Keep-Alive, X\r\n'),
      'Connection: keep-alive\r\n',
      false,
    ],
  ])('%s', async (_, request, hopFields, closes) => {
    const client = connect()
    for (const _round of closes ? [1] : [1, 2]) {
      client.write(request)
      const text = await client.take((sofar) => !closes && isReply(sofar, 'ok'))
      expect(text).toBe(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${hopFields}\r\nok`)
    }
    expect(client.closed).toBe(closes)
  })

  test('pipelined requests are served one after the other, in order', async () => {
    const held: ReceivedRequest[] = []
    answer = (request) => held.push(request)
    const client = connect()
    client.write(get('/1') + get('/2') + post('Content-Length: 3\r\n', 'abc') + get('/4').slice(0, 9))
    for (const [at, start] of ['GET /1', 'GET /2', 'POST /'].entries()) {
      while (held.length <= at) await settleSockets()
      await settleSockets()
      expect(held.length).toBe(at + 1)
      expect(held[at]?.head.startsWith(start)).toBe(true)
      held[at]?.socket.write(reply(start))
      expect(await client.take((text) => isReply(text, start))).toBe(reply(start))
    }
    expect(application.connections()).toBe(1)
  })

  test('pipelined requests before a FIN are all answered', async () => {
    const client = connect()
    client.socket.end(get('/next') + get('/') + get('/next'))
    const last = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnext'
    expect(await client.take()).toBe(reply('next') + reply('ok') + last)
  })

  test.each([
    ['in the middle of its head', 'GET / HTTP/1.1\r\nHo'],
    ['in the middle of its content', post('Content-Length: 9\r\n', 'abc')],
    ['in the middle of its chunks', post('Transfer-Encoding: chunked\r\n', '9\r\nabc')],
    ['before its content', post('Content-Length: 9\r\n', '')],
  ])('a FIN that came while the request before was served ends a pipelined one %s', async (_, part) => {
    const held: ReceivedRequest[] = []
    answer = (request) => held.push(request)
    const client = connect()
    client.socket.end(get('/') + part)
    while (held.length === 0) await settleSockets()
    await settleSockets()
    held[0]?.socket.write(reply('ok'))
    expect(await client.take()).toBe(reply('ok'))
    await settleSockets()
    expect(application.requests, 'part of one never looks like all of it').toHaveLength(1)
  })

  test('what follows a request with Connection: close is not served', async () => {
    const client = connect()
    client.write(get('/', 'Connection: close\r\n') + get('/next'))
    expect(await client.take()).toBe('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')
    expect(application.requests).toHaveLength(1)
  })

  test('reading pauses while more than 64 KiB of pipelined bytes wait', async () => {
    const bodyBytes = 24 * 1024 * 1024
    let first: net.Socket | undefined
    const slow = await startRawServer((text, socket) => {
      if (first === undefined) first = socket
      else if (text.length >= bodyBytes) socket.write(reply('all'))
    })
    const path = await startPlainDataPath([slow.port])
    try {
      const client = connect(path.port)
      client.write(get('/'))
      client.write(post(`Content-Length: ${bodyBytes}\r\n`, ''))
      const piece = 'x'.repeat(64 * 1024)
      for (let bytes = 0; bytes < bodyBytes; bytes += piece.length) client.write(piece)
      while (first === undefined) await settleSockets()
      // The kernel's buffers take some megabytes; what stays with the client shows that nobody reads.
      for (let before = -1, still = 0; still < 50; await settleSockets()) {
        still = before === client.socket.writableLength ? still + 1 : 0
        before = client.socket.writableLength
      }
      expect(client.socket.writableLength).toBeGreaterThan(bodyBytes / 4)
      first?.write(reply('first'))
      expect(await client.take((text) => isReply(text, 'all'))).toBe(reply('first') + reply('all'))
    } finally {
      path.stop()
      await slow.stop()
    }
  })
})

test.each(['\r\n\r\n', '\n', '\r', '\r\n\n', ' ', '\t', '\r\n ', 'A'.repeat(33)])(
  '%j before a request does not make it bytes that the application gets unseen',
  async (start) => {
    const client = connect(await openInbound())
    client.write(start + get('/'))
    expect(await client.take()).toMatch(/^HTTP\/1\.1 400 /)
    expect(application.connections()).toBe(0)
  },
)
