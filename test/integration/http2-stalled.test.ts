/** Streams that stand still on connections that they share with others: who goes on must not notice. */
import http from 'node:http'
import type http2 from 'node:http2'
import net, { type AddressInfo } from 'node:net'
import { Readable, type Writable } from 'node:stream'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Http2Application, startHttp2Application } from '../support/http2-application.ts'
import { connectHttp2 } from '../support/http2-client.ts'
import { headers, RawHttp2, request, types } from '../support/http2-frames.ts'
import { type MeshPair, startMeshPair } from '../support/mesh-pair.ts'

/** More than a connection's window ever is. */
const healthyBytes = 24 * 1024 * 1024
const piece = Buffer.alloc(64 * 1024, 'w')

/** Content of `bytes` that is made as it is read. */
function content(bytes: number): Readable {
  let left = bytes
  return new Readable({
    read() {
      const next = left < piece.length ? piece.subarray(0, left) : piece
      left -= next.length
      this.push(next.length === 0 ? null : next)
    },
  })
}

const endless = Number.MAX_SAFE_INTEGER

function send(bytes: number, to: Writable): void {
  to.on('error', () => undefined)
  content(bytes).pipe(to)
}

/** Answers GET /endless and GET /healthy with that much, reads what is sent to /healthy, and nothing of other requests. */
async function startHttp1(): Promise<number> {
  const server = http.createServer((asked, response) => {
    asked.on('error', () => undefined)
    if (asked.method === 'GET') {
      send(asked.url === '/endless' ? endless : healthyBytes, response)
      return
    }
    if (asked.url !== '/healthy') return
    let bytes = 0
    asked.on('data', (data: Buffer) => {
      bytes += data.length
    })
    asked.on('end', () => response.end(String(bytes)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

async function startHttp2(): Promise<Http2Application> {
  const app = await startHttp2Application((stream, fields) => {
    const healthy = fields[':path'] === '/healthy'
    if (fields[':method'] === 'GET') {
      stream.respond({ ':status': 200 })
      send(healthy ? healthyBytes : endless, stream)
      return
    }
    if (!healthy) return
    let bytes = 0
    stream.on('data', (data: Buffer) => {
      bytes += data.length
    })
    stream.on('end', () => {
      if (stream.destroyed) return
      stream.respond({ ':status': 200 })
      stream.end(String(bytes))
    })
  })
  onTestFinished(() => app.stop())
  return app
}

async function pairTo(port: number): Promise<MeshPair> {
  const pair = await startMeshPair(port)
  onTestFinished(() => pair.stop())
  return pair
}

/** Of `healthyBytes` downloaded over HTTP/1: how many came. */
function download1(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path: '/healthy', headers: { host: 'app.test' }, agent: false }
    http
      .get(options, (reply) => {
        let bytes = 0
        reply.on('data', (data: Buffer) => {
          bytes += data.length
        })
        reply.on('end', () => resolve(bytes))
        reply.on('error', reject)
      })
      .on('error', reject)
  })
}

function upload1(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const fields = { host: 'app.test', 'content-length': healthyBytes }
    const options = {
      port,
      host: '127.0.0.1',
      method: 'PUT',
      path: '/healthy',
      headers: fields,
      agent: false,
    }
    const asked = http.request(options, (reply) => {
      reply.on('data', (data: Buffer) => resolve(Number(data.toString())))
    })
    asked.on('error', reject)
    content(healthyBytes).pipe(asked)
  })
}

function exchange2(session: http2.ClientHttp2Session, method: 'GET' | 'PUT'): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = session.request(
      { ':method': method, ':authority': 'app.test', ':path': '/healthy' },
      { endStream: method === 'GET' },
    )
    let bytes = 0
    let text = ''
    stream.on('data', (data: Buffer) => {
      bytes += data.length
      if (method === 'PUT') text += data.toString()
    })
    stream.on('end', () => resolve(method === 'PUT' ? Number(text) : bytes))
    stream.on('error', reject)
    if (method === 'PUT') content(healthyBytes).pipe(stream)
  })
}

/** A client over HTTP/1 that has its first bytes, and reads no more. */
function stalledReader(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => undefined)
    socket.write('GET /endless HTTP/1.1\r\nHost: app.test\r\n\r\n')
    socket.once('data', () => {
      socket.pause()
      resolve()
    })
  })
}

/** A client over HTTP/1 that sends until nobody takes any more. */
function stalledWriter(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => undefined)
    socket.write('PUT /stalled HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000000000\r\n\r\n')
    send(endless, socket)
    socket.once('drain', () => resolve())
  })
}

const many = (count: number, make: () => Promise<void>): Promise<void[]> =>
  Promise.all(Array.from({ length: count }, make))

describe('between two sidecars, HTTP/1', () => {
  test('24 clients that do not read their replies hold up no other client', async () => {
    const pair = await pairTo(await startHttp1())
    await many(24, () => stalledReader(pair.port))
    expect(await download1(pair.port)).toBe(healthyBytes)
  })

  test('24 requests that the application does not read hold up no other request', async () => {
    const pair = await pairTo(await startHttp1())
    await many(24, () => stalledWriter(pair.port))
    expect(await upload1(pair.port)).toBe(healthyBytes)
  })
})

describe('between two sidecars, HTTP/2', () => {
  test('100 streams of a client that opens no window hold up no other client', async () => {
    const pair = await pairTo((await startHttp2()).port)
    const stalled = await RawHttp2.connect(pair.port, [4, 0])
    onTestFinished(() => stalled.destroy())
    for (let id = 1; id < 200; id += 2) stalled.send(headers(id, request('GET', '/endless')))
    await stalled.until(() => stalled.of(types.headers).length === 100)
    const session = connectHttp2(pair.port)
    onTestFinished(() => session.destroy())
    expect(await exchange2(session, 'GET')).toBe(healthyBytes)
  })

  test('100 requests that the application does not read hold up no other, on the same connection either', async () => {
    const pair = await pairTo((await startHttp2()).port)
    const session = connectHttp2(pair.port)
    onTestFinished(() => session.destroy())
    for (let i = 0; i < 100; i++)
      send(
        endless,
        session.request(
          { ':method': 'PUT', ':authority': 'app.test', ':path': '/stalled' },
          { endStream: false },
        ),
      )
    expect(await exchange2(session, 'PUT')).toBe(healthyBytes)
    const other = connectHttp2(pair.port)
    onTestFinished(() => other.destroy())
    expect(await exchange2(other, 'PUT')).toBe(healthyBytes)
  })
})
