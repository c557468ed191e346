import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createHttp2Server } from 'node:http2'
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'
import { request } from 'undici'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js'
import { type ApplicationProbe, parseApplicationProbes } from '../../api/application-probe.ts'
import { AdminServer } from '../../core/admin-server.ts'
import { createLog } from '../../core/log.ts'
import { createRegistry } from '../../core/metrics.ts'
import { selfSigned } from '../identity/test-pki.ts'
import { onLoopback } from '../application-addresses.ts'
import { addProbes } from './probes.ts'

const log = createLog({ process: 'test', level: 'silent' })
const closing: (() => void)[] = []
let admin: AdminServer | undefined

async function open(server: Server): Promise<number> {
  closing.push(() => server.close())
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer({ keepAlive: false }, listener)
  closing.push(() => server.closeAllConnections())
  return open(server)
}

async function sidecar(probe: ApplicationProbe, field = 'livenessProbe'): Promise<string> {
  const path = `/probe/web/${field}`
  admin = new AdminServer({ host: '127.0.0.1', port: 0, log, registry: createRegistry('test') })
  addProbes(admin, parseApplicationProbes(JSON.stringify({ [path]: probe })), onLoopback)
  const { port } = await admin.start()
  return `http://127.0.0.1:${port}${path}`
}

async function ask(probe: ApplicationProbe): Promise<{ status: number; body: string }> {
  const { statusCode, body } = await request(await sidecar(probe))
  return { status: statusCode, body: await body.text() }
}

const refusedPort = async (): Promise<number> => {
  const server = createTcpServer()
  const port = await open(server)
  await new Promise<void>((resolve) => void server.close(() => resolve()))
  return port
}

beforeEach(() => {
  closing.length = 0
})
afterEach(async () => {
  await admin?.stop()
  for (const close of closing) close()
})

describe('an HTTP probe', () => {
  test("asks the application for the path, with the pod's headers, and passes on what it says", async () => {
    const port = await serve(({ url, headers, method }, response) => {
      const probed = [method, url, headers['x-probe'], headers.host, headers['user-agent']]
      response.writeHead(202).end(probed.join(' '))
    })
    const httpHeaders = [
      { name: 'X-Probe', value: 'yes' },
      { name: 'Host', value: 'shop.example' },
    ]
    const probe = { port, timeoutSeconds: 1, httpGet: { port: 'http', path: '/live?deep=1', httpHeaders } }
    expect(await ask(probe)).toEqual({
      status: 202,
      body: 'GET /live?deep=1 yes shop.example kube-probe/weft',
    })
  })

  test('fails as the application does', async () => {
    const port = await serve((_request, response) => response.writeHead(500).end('no database'))
    expect(await ask({ port, timeoutSeconds: 1, httpGet: { port } })).toEqual({
      status: 500,
      body: 'no database',
    })
  })

  test('fails when nothing listens', async () => {
    const port = await refusedPort()
    expect(await ask({ port, timeoutSeconds: 1, httpGet: { port } })).toMatchObject({ status: 503 })
  })

  test('fails when there is no reply within its timeout', async () => {
    const port = await serve(() => undefined)
    const answered = await ask({ port, timeoutSeconds: 1, httpGet: { port } })
    expect(answered).toEqual({ status: 503, body: expect.stringContaining('no answer within') as string })
  })

  test('takes any certificate over HTTPS', async () => {
    const { keyPem: key, certificatePem: cert } = await selfSigned()
    const server = createTlsServer({ key, cert }, (_request, response) => response.end('secret'))
    closing.push(() => server.closeAllConnections())
    const port = await open(server)
    const probe = { port, timeoutSeconds: 2, httpGet: { port, scheme: 'HTTPS' } }
    expect(await ask(probe)).toEqual({ status: 200, body: 'secret' })
  })

  test('follows a redirect on the same host, and is content with one elsewhere', async () => {
    const port = await serve(({ url }, response) => {
      if (url === '/') response.writeHead(302, { location: '/real' }).end()
      else if (url === '/away') response.writeHead(302, { location: 'http://example.org/' }).end()
      else response.writeHead(500).end('broken')
    })
    expect(await ask({ port, timeoutSeconds: 1, httpGet: { port } })).toEqual({ status: 500, body: 'broken' })
    await admin?.stop()
    const away = { port, timeoutSeconds: 1, httpGet: { port, path: '/away' } }
    expect(await ask(away)).toMatchObject({ status: 200 })
  })

  test('ends when redirects do not', async () => {
    const port = await serve((_request, response) => response.writeHead(307, { location: '/' }).end())
    expect(await ask({ port, timeoutSeconds: 2, httpGet: { port } })).toMatchObject({ status: 503 })
  })

  test('reads no more of an endless reply than the kubelet would', async () => {
    const port = await serve((_request, response) => {
      const piece = Buffer.alloc(4096, 'x')
      const more = (): void => void response.write(piece, () => setImmediate(more))
      response.on('error', () => undefined)
      more()
    })
    expect((await ask({ port, timeoutSeconds: 5, httpGet: { port } })).body).toHaveLength(10 * 1024)
  })
})

describe('a TCP probe', () => {
  test('is well when something accepts, and fails when nothing does', async () => {
    const port = await open(createTcpServer((socket) => socket.on('error', () => undefined)))
    expect(await ask({ port, timeoutSeconds: 1, tcpSocket: { port } })).toMatchObject({ status: 200 })
    await admin?.stop()
    const refused = await refusedPort()
    expect(await ask({ port: refused, timeoutSeconds: 1, tcpSocket: { port } })).toMatchObject({
      status: 503,
    })
  })
})

describe('a gRPC probe', () => {
  /** A real gRPC server; messages are their bytes. */
  async function health(status: (service: string) => number): Promise<number> {
    const server = new GrpcServer()
    const bytes = { serialize: (value: Buffer) => value, deserialize: (value: Buffer) => value }
    server.addService(
      {
        check: {
          path: '/grpc.health.v1.Health/Check',
          requestStream: false,
          responseStream: false,
          requestSerialize: bytes.serialize,
          requestDeserialize: bytes.deserialize,
          responseSerialize: bytes.serialize,
          responseDeserialize: bytes.deserialize,
        },
      },
      {
        check: (call: { request: Buffer }, reply: (error: object | null, value?: Buffer) => void) => {
          const value = status(call.request.subarray(2).toString())
          if (value < 0) reply({ code: 5, details: 'unknown service' })
          else reply(null, value === 0 ? Buffer.alloc(0) : Buffer.from([8, value]))
        },
      },
    )
    closing.push(() => server.forceShutdown())
    return new Promise((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      ),
    )
  }

  test.each([
    ['orders', 1, 200],
    ['', 1, 200],
    ['orders', 2, 503],
    ['orders', 0, 503],
    ['orders', -1, 503],
  ])("of service '%s' with the status %i is %i", async (service, status, expected) => {
    const port = await health((name) => (name === service ? status : -1))
    const answered = await ask({ port, timeoutSeconds: 2, grpc: { port, service } })
    expect(answered.status, answered.body).toBe(expected)
  })

  test('fails when what answers does not speak it, or not at all', async () => {
    const port = await open(
      createTcpServer((socket) => {
        socket.on('error', () => undefined)
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
      }),
    )
    expect(await ask({ port, timeoutSeconds: 1, grpc: { port } })).toMatchObject({ status: 503 })
    await admin?.stop()
    const silent = createHttp2Server()
    silent.on('stream', (stream) => stream.on('error', () => undefined))
    silent.on('sessionError', () => undefined)
    silent.on('session', (session) => session.on('error', () => undefined))
    const quiet = await open(silent)
    const answered = await ask({ port: quiet, timeoutSeconds: 1, grpc: { port: quiet } })
    expect(answered).toMatchObject({ status: 503 })
  })
})

describe('a hook', () => {
  test('is answered as the application answers', async () => {
    const port = await serve((_request, response) => response.end('warm'))
    const { statusCode } = await request(
      await sidecar({ port, timeoutSeconds: 1, httpGet: { port } }, 'postStart'),
    )
    expect(statusCode).toBe(200)
  })

  test('that cannot be asked gets no answer at all, the one thing that the kubelet takes for a failure', async () => {
    const port = await refusedPort()
    const url = await sidecar({ port, timeoutSeconds: 1, httpGet: { port } }, 'preStop')
    await expect(request(url)).rejects.toThrow()
  })
})

test.each([
  '',
  '[]',
  '{"/ready":{"port":1,"timeoutSeconds":1,"tcpSocket":{}}}',
  '{"/probe/a/preStop":{"port":0}}',
])('what the injector never writes is refused: %s', (text) => {
  expect(() => parseApplicationProbes(text)).toThrow(/probes are not/)
})
