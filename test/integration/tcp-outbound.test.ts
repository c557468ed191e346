/** Redirected connections whose bytes are not HTTP, or are nobody's business: where they go, and what is told of them. */
import net from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { freePorts } from '../../cli/demo/ports.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import type { DataPathOptions } from '../../proxy/data-path-options.ts'
import type { TcpRecord } from '../../proxy/telemetry/access-records.ts'
import { clientHello } from '../support/client-hello.ts'
import { setEndpoints, startPlainDataPath } from '../support/plain-data-path.ts'
import { RawClient, settleSockets, startRawServer } from '../support/raw-tcp.ts'
import { startTcpApplication } from '../support/tcp-application.ts'

const service = '10.96.0.10:9000'
/** Of no protocol. */
const hello = '\x01hello'

async function application(name: string, greeting?: string) {
  const app = await startTcpApplication(name, greeting)
  onTestFinished(() => app.stop())
  return app
}

/** A sidecar to which the kernel says that all clients dialled `original`. */
async function sidecar(options: { original?: string } & Partial<DataPathOptions> = {}) {
  const { original = service, ...overrides } = options
  const ended: TcpRecord[] = []
  const clock = new ManualClock()
  const { dataPath, port, stop } = await startPlainDataPath([], {
    originalDestination: () => original,
    onTcpEnd: (record) => void ended.push(record),
    clock,
    ...overrides,
  })
  onTestFinished(stop)
  const connect = (): RawClient => {
    const client = new RawClient(port)
    onTestFinished(() => client.destroy())
    return client
  }
  const route = (clusters: Readonly<Record<string, number>>, opaque = false): void =>
    dataPath.setTcpRoute(service, {
      clusters: Object.entries(clusters).map(([cluster, weight]) => ({ cluster, weight })),
      opaque,
    })
  return { dataPath, clock, connect, route, ended }
}

/** What a connection of its own gets for `hello`. */
async function answered(connect: () => RawClient): Promise<string> {
  const client = connect()
  client.write(hello)
  const answer = await client.take((text) => text.endsWith(hello))
  client.destroy()
  return answer.split(':')[0] as string
}

test('bytes that are not HTTP go to an endpoint of the destination, and are counted for it', async () => {
  const { dataPath, connect, route, ended } = await sidecar()
  const app = await application('a')
  setEndpoints(dataPath, 'a', [app.port])
  route({ a: 1 })
  const client = connect()
  client.write(hello)
  expect(await client.take((text) => text.endsWith(hello))).toBe(`a:${hello}`)
  expect(dataPath.tcp.all().map((stats) => stats.opened - stats.closed)).toEqual([1])
  // Also while it is open: it may be for days.
  expect(dataPath.tcp.all()[0]?.writtenBytes).toBe(hello.length)
  client.socket.end()
  expect(await client.take()).toBe('a:end')
  await expect.poll(() => ended).toHaveLength(1)
  expect(ended[0]).toMatchObject({
    direction: 'outbound',
    peer: '127.0.0.1',
    destination: service,
    cluster: 'a',
    upstream: `127.0.0.1:${app.port}`,
    receivedBytes: hello.length,
    sentBytes: `a:${hello}a:end`.length,
    flag: '',
  })
  const [stats] = dataPath.tcp.all()
  expect(stats).toMatchObject({ completed: 1, broken: 0, writtenBytes: hello.length })
  expect(stats?.labels).toMatchObject({ direction: 'outbound', peer: 'dst', tls: 'false' })
  expect([...dataPath.clusters.all()].flatMap(({ endpoints }) => endpoints)[0]?.inFlight).toBe(0)
})

test('a half that has ended leaves the other one open', async () => {
  const { dataPath, connect, route } = await sidecar()
  const app = await application('a')
  setEndpoints(dataPath, 'a', [app.port])
  route({ a: 1 }, true)
  const client = connect()
  client.socket.end(hello, 'latin1')
  expect(await client.take()).toBe(`a:${hello}a:end`)
  expect(client.reset).toBe(false)
})

test('a split chooses a backend for each connection; one of weight 0 gets none, an empty one gives its share away', async () => {
  const { dataPath, connect, route } = await sidecar()
  for (const name of ['a', 'b', 'zero']) setEndpoints(dataPath, name, [(await application(name)).port])
  setEndpoints(dataPath, 'empty', [])
  route({ a: 1, b: 1, zero: 0, empty: 8 })
  const count: Record<string, number> = { a: 0, b: 0 }
  for (let i = 0; i < 200; i++) {
    const name = await answered(connect)
    count[name] = (count[name] ?? 0) + 1
  }
  // Below one in a million for a fair split.
  expect(count['a']).toBeGreaterThan(65)
  expect(count['b']).toBeGreaterThan(65)
  expect(count['zero']).toBeUndefined()
})

test('an endpoint that does not accept is passed over; when none does, the client is cut off, not ended', async () => {
  const { dataPath, connect, route, ended } = await sidecar()
  const app = await application('a')
  const [nobody = 0, noone = 0] = await freePorts(2)
  setEndpoints(dataPath, 'a', [nobody, app.port])
  route({ a: 1 })
  for (let i = 0; i < 20; i++) expect(await answered(connect)).toBe('a')
  setEndpoints(dataPath, 'a', [nobody, noone])
  const client = connect()
  client.write(hello)
  expect(await client.take()).toBe('')
  expect(client.reset).toBe(true)
  await expect.poll(() => ended).toHaveLength(21)
  expect(ended.find(({ flag }) => flag === 'UF')).toMatchObject({ cluster: '', receivedBytes: 0 })
  expect(dataPath.serveStats.outbound.tcpErrors.get('UPSTREAM_CONNECT_FAILED')).toBe(1)
})

test('without an endpoint the client is cut off', async () => {
  const { dataPath, connect, route, ended } = await sidecar()
  setEndpoints(dataPath, 'a', [])
  route({ a: 1 })
  const client = connect()
  client.write(hello)
  expect(await client.take()).toBe('')
  expect(client.reset).toBe(true)
  expect(ended[0]?.flag).toBe('UH')
})

test('at its limit of connections a cluster takes no further one', async () => {
  const { dataPath, connect, route, ended } = await sidecar()
  const app = await application('a')
  setEndpoints(dataPath, 'a', [app.port])
  const config = dataPath.clusters.get('a')?.config
  if (config === undefined) throw new Error('no cluster')
  dataPath.setCluster({
    ...config,
    limits: {
      maxConnections: 1,
      maxPending: 1,
      maxRequests: 1,
      maxRetries: 1,
      retryBudget: undefined,
      queueTimeoutMs: 1,
    },
  })
  route({ a: 1 })
  const first = connect()
  first.write(hello)
  await first.take((text) => text.endsWith(hello))
  const second = connect()
  second.write(hello)
  expect(await second.take()).toBe('')
  expect(ended[0]?.flag).toBe('UO')
  first.destroy()
  await expect.poll(() => ended).toHaveLength(2)
  expect(await answered(connect)).toBe('a')
})

test('what the mesh does not know is reached where the client dialled, and counted', async () => {
  const app = await application('outside')
  const { dataPath, connect } = await sidecar({
    original: `127.0.0.1:${app.port}`,
    outboundPolicy: 'allow',
  })
  expect(await answered(connect)).toBe('outside')
  expect(dataPath.egress.passthrough.connections).toBe(1)
})

test('unless the policy is deny: then it is cut off, and counted', async () => {
  const app = await application('outside')
  const { dataPath, connect, ended } = await sidecar({ original: `127.0.0.1:${app.port}` })
  const client = connect()
  client.write(hello)
  expect(await client.take()).toBe('')
  expect(app.opened()).toBe(0)
  expect(ended[0]?.flag).toBe('NC')
  expect(dataPath.serveStats.outbound.tcpErrors.get('DESTINATION_UNKNOWN')).toBe(1)
})

test('a server that speaks first on an opaque port is heard at once', async () => {
  const { dataPath, connect, route } = await sidecar()
  setEndpoints(dataPath, 'a', [(await application('a', 'greeting')).port])
  route({ a: 1 }, true)
  // The clock stands still.
  expect(await connect().take((text) => text !== '')).toBe('greeting')
})

test('on other ports it is heard once the client has been silent for 200 ms', async () => {
  const { dataPath, clock, connect, route } = await sidecar()
  const app = await application('a', 'greeting')
  setEndpoints(dataPath, 'a', [app.port])
  route({ a: 1 })
  const client = connect()
  await expect.poll(() => dataPath.openConnections).toBe(1)
  clock.advance(199)
  expect(app.opened()).toBe(0)
  clock.advance(1)
  expect(await client.take((text) => text !== '')).toBe('greeting')
  client.write('GET / HTTP/1.1\r\n')
  expect(await client.take((text) => text.includes('\r\n'))).toBe('a:GET / HTTP/1.1\r\n')
  expect(app.opened()).toBe(1)
})

test('a client that speaks HTTP after all gets a reply by its routes; what was opened for it meanwhile is closed', async () => {
  const { dataPath, clock, connect, route } = await sidecar()
  const silent = await startRawServer((_text, socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'))
  onTestFinished(() => silent.stop())
  setEndpoints(dataPath, 'a', [silent.port])
  route({ a: 1 })
  dataPath.setRoutes(service, [
    {
      domains: ['*'],
      rules: [
        {
          name: 'all',
          match: { path: { kind: 'prefix', value: '/' }, headers: [], query: [] },
          action: { kind: 'respond', status: 200, body: 'by its routes' },
          timeoutMs: undefined,
        },
      ],
    },
  ])
  const client = connect()
  await expect.poll(() => dataPath.openConnections).toBe(1)
  clock.advance(200)
  await expect.poll(() => silent.connections()).toBe(1)
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  expect(await client.take()).toMatch(/by its routes$/)
  await expect.poll(() => silent.isOpen(0)).toBe(false)
  expect(silent.received[0]).toBe('')
  expect(dataPath.tcp.all()).toEqual([])
  expect([...dataPath.clusters.all()].flatMap(({ endpoints }) => endpoints)[0]?.inFlight).toBe(0)
})

test("HTTP on an opaque port is nobody's business", async () => {
  const { dataPath, connect, route } = await sidecar()
  setEndpoints(dataPath, 'a', [(await application('a')).port])
  route({ a: 1 }, true)
  const client = connect()
  client.write('GET / HTTP/1.1\r\n\r\n')
  expect(await client.take((text) => text.endsWith('\r\n\r\n'))).toBe('a:GET / HTTP/1.1\r\n\r\n')
})

test('a default port is opaque also where the mesh knows nothing', async () => {
  const server = net.createServer((socket) => void socket.end('+redis'))
  onTestFinished(() => void server.close())
  const taken = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(11_211, '127.0.0.1', () => resolve(true))
  })
  expect(taken, 'port 11211 of the loopback is in use').toBe(true)
  const { connect } = await sidecar({ original: '127.0.0.1:11211', outboundPolicy: 'allow' })
  expect(await connect().take()).toBe('+redis')
})

test('a client that goes while its destination is dialled leaves nothing behind', async () => {
  const { dataPath, connect, route } = await sidecar()
  const app = await application('a')
  setEndpoints(dataPath, 'a', [app.port])
  route({ a: 1 }, true)
  const clients = Array.from({ length: 20 }, connect)
  for (const client of clients) client.socket.once('connect', () => client.socket.resetAndDestroy())
  await expect.poll(() => app.opened()).toBe(20)
  await expect.poll(() => dataPath.openConnections).toBe(0)
  expect([...dataPath.clusters.all()].flatMap(({ endpoints }) => endpoints)[0]?.inFlight).toBe(0)
})

test("the application's own TLS passes untouched, and its server name leads to a Service where the address leads to none", async () => {
  const app = await application('secure')
  const { dataPath, connect } = await sidecar({ original: '192.0.2.7:8443' })
  setEndpoints(dataPath, 'secure', [app.port])
  dataPath.setTcpRoute('secure.shop.svc.cluster.local:8443', {
    clusters: [{ cluster: 'secure', weight: 1 }],
    opaque: false,
  })
  const hello8443 = await clientHello('secure.shop.svc.cluster.local')
  const client = connect()
  client.write(hello8443)
  expect(await client.take((text) => text.length >= hello8443.length + 7)).toBe(`secure:${hello8443}`)
  // Names that are none of the mesh are not asked for.
  const other = connect()
  other.write(await clientHello('secure.example'))
  expect(await other.take()).toBe('')
  expect(app.opened()).toBe(1)
})

test('where the address leads to a Service, the server name counts for nothing', async () => {
  const { dataPath, connect, route } = await sidecar()
  const [app, other] = [await application('a'), await application('other')]
  setEndpoints(dataPath, 'a', [app.port])
  setEndpoints(dataPath, 'other', [other.port])
  route({ a: 1 })
  dataPath.setTcpRoute('other.shop.svc.cluster.local:9000', {
    clusters: [{ cluster: 'other', weight: 1 }],
    opaque: false,
  })
  const hello9000 = await clientHello('other.shop.svc.cluster.local')
  const client = connect()
  client.write(hello9000)
  expect(await client.take((text) => text.length >= hello9000.length + 2)).toBe(`a:${hello9000}`)
  expect(other.opened()).toBe(0)
})

test.each([true, false])(
  'bytes that come while the destination is asked for are not lost (opaque: %s)',
  async (opaque) => {
    const app = await application('a')
    let answer: (outcome: 'known') => void = () => undefined
    const asked = new Promise<'known'>((resolve) => {
      answer = resolve
    })
    const { dataPath, port, stop } = await startPlainDataPath(
      [],
      { originalDestination: () => service },
      undefined,
      () => asked,
    )
    onTestFinished(stop)
    const client = new RawClient(port)
    onTestFinished(() => client.destroy())
    client.write(hello)
    await settleSockets()
    await expect.poll(() => dataPath.openConnections).toBe(1)
    await settleSockets()
    setEndpoints(dataPath, 'a', [app.port])
    dataPath.setTcpRoute(service, { clusters: [{ cluster: 'a', weight: 1 }], opaque })
    answer('known')
    expect(await client.take((text) => text.endsWith(hello))).toBe(`a:${hello}`)
  },
)
