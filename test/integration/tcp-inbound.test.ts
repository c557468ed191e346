/** The inbound side's bytes that are not HTTP: opaque ports, servers that speak first, and mesh TLS around all of it. */
import { expect, onTestFinished, test } from 'vitest'
import { untilOpen } from '../../bench/process.ts'
import { freePorts } from '../../cli/demo/ports.ts'
import { type AccessRules, meshTlsOnly } from '../../proxy/authz/access-rules.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { clientHello } from '../support/client-hello.ts'
import { startMeshPair } from '../support/mesh-pair.ts'
import { startPlainDataPath } from '../support/plain-data-path.ts'
import { RawClient, settleSockets } from '../support/raw-tcp.ts'
import { startTcpApplication } from '../support/tcp-application.ts'

const web = 'spiffe://cluster.local/ns/test/sa/web'

async function inbound(protocol: 'detect' | 'opaque', greeting = '', access?: AccessRules) {
  const app = await startTcpApplication('app', greeting)
  const [listenPort = 0] = await freePorts(1)
  const clock = new ManualClock()
  const { dataPath, stop } = await startPlainDataPath([], { outboundAddress: undefined, clock })
  onTestFinished(async () => {
    stop()
    await app.stop()
  })
  const listen = { host: '127.0.0.1', port: listenPort }
  const port = { listen, applicationHost: '127.0.0.1', applicationPort: app.port, protocol, access }
  dataPath.setInbound({ ports: [port] })
  await expect.poll(() => dataPath.inboundPorts).toHaveLength(1)
  const connect = (): RawClient => {
    const client = new RawClient(listenPort)
    onTestFinished(() => client.destroy())
    return client
  }
  return { app, dataPath, clock, connect }
}

test.each(['detect', 'opaque'] as const)(
  'a server that speaks first is heard by a client in clear that is silent for 200 ms (%s)',
  async (protocol) => {
    const { app, dataPath, clock, connect } = await inbound(protocol, 'greeting')
    const client = connect()
    await expect.poll(() => dataPath.openConnections).toBe(1)
    clock.advance(199)
    expect(app.opened()).toBe(0)
    clock.advance(1)
    expect(await client.take((text) => text !== '')).toBe('greeting')
  },
)

test('strict: a silent client hears nothing, however long it waits', async () => {
  const { app, dataPath, clock, connect } = await inbound('opaque', 'greeting', meshTlsOnly)
  const client = connect()
  await expect.poll(() => dataPath.openConnections).toBe(1)
  clock.advance(5_000)
  await settleSockets()
  expect(app.opened()).toBe(0)
  // It may still begin mesh TLS.
  expect(client.closed).toBe(false)
  expect(dataPath.openConnections).toBe(1)
})

test.each([1_000, 60_000, 3_000_000])(
  'a request is one however long its client was silent before it (%d ms)',
  async (silentMs) => {
    const { dataPath, clock, connect } = await inbound('detect')
    const client = connect()
    await expect.poll(() => dataPath.openConnections).toBe(1)
    clock.advance(200)
    clock.advance(silentMs)
    client.write('GET / HTTP/1.1\r\n\r\n')
    expect(await client.take()).toMatch(/^HTTP\/1.1 400 /)
  },
)

test('a client that stays silent is closed in the end, as an idle connection is', async () => {
  const { dataPath, clock, connect } = await inbound('detect')
  const client = connect()
  await expect.poll(() => dataPath.openConnections).toBe(1)
  clock.advance(200)
  clock.advance(3_601_000)
  await expect.poll(() => client.closed).toBe(true)
})

test.each([
  ['GE', /^HTTP\/1.1 408 /],
  ['BREW /', /^HTTP\/1.1 408 /],
  ['ruok', /^app:ruok$/],
])('%j and nothing more is settled when its time is over', async (bytes, reply) => {
  const { dataPath, clock, connect } = await inbound('detect')
  const client = connect()
  await expect.poll(() => dataPath.openConnections).toBe(1)
  client.write(bytes)
  await settleSockets()
  clock.advance(10_600)
  expect(await client.take((text) => text.length >= 8)).toMatch(reply)
})

test("a line of words is the application's, whatever HTTP would say to it", async () => {
  const { connect } = await inbound('detect')
  const client = connect()
  client.write('word word\n')
  expect(await client.take((text) => text.endsWith('\n'))).toBe('app:word word\n')
})

test('what begins like a request is not waited for on an opaque port', async () => {
  const { connect } = await inbound('opaque')
  const client = connect()
  client.write('PING')
  expect(await client.take((text) => text.length >= 8)).toBe('app:PING')
})

test('an opaque port that is redirected without having been declared is one all the same', async () => {
  const app = await startTcpApplication('app')
  const [inboundPort = 0] = await freePorts(1)
  const { dataPath, stop } = await startPlainDataPath([], {
    outboundAddress: undefined,
    inboundAddress: { host: '127.0.0.1', port: inboundPort },
    originalDestination: () => `127.0.0.1:${app.port}`,
  })
  onTestFinished(async () => {
    stop()
    await app.stop()
  })
  const opaquePorts = [{ from: app.port, to: app.port }]
  dataPath.setInbound({ ports: [], opaquePorts })
  await untilOpen(inboundPort)
  const client = new RawClient(inboundPort)
  onTestFinished(() => client.destroy())
  client.write('GET')
  expect(await client.take((text) => text.length >= 7)).toBe('app:GET')
})

test('bytes are counted by who came to which port', async () => {
  const { dataPath, connect } = await inbound('opaque')
  const client = connect()
  client.socket.end('\x01bytes', 'latin1')
  expect(await client.take()).toBe('app:\x01bytesapp:end')
  await expect.poll(() => dataPath.tcp.all()[0]?.closed).toBe(1)
  const [stats] = dataPath.tcp.all()
  expect(stats?.labels).toMatchObject({ direction: 'inbound', peer: 'dst', tls: 'false' })
  expect(stats).toMatchObject({ completed: 1, writtenBytes: 6, readBytes: 17 })
})

/** Through both sidecars: a tunnel that `web` asks its own for. */
async function tunnel(greeting = '') {
  const app = await startTcpApplication('app', greeting)
  const pair = await startMeshPair(app.port)
  onTestFinished(async () => {
    pair.stop()
    await app.stop()
  })
  const clusters = [{ cluster: 'app', weight: 1 }]
  pair.outbound.dataPath.setTcpRoute('app.test:3306', { clusters, opaque: true })
  const client = new RawClient(pair.port)
  onTestFinished(() => client.destroy())
  client.write('CONNECT app.test:3306 HTTP/1.1\r\nHost: app.test:3306\r\n\r\n')
  return { pair, client }
}

const established = 'HTTP/1.1 200 Connection established\r\n\r\n'

test('over mesh TLS a server that speaks first is heard at once, by a client that is proven', async () => {
  const { pair, client } = await tunnel('greeting')
  const wanted = `${established}greeting`
  expect(await client.take((text) => text.length >= wanted.length)).toBe(wanted)
  const [stats] = pair.inbound.dataPath.tcp.all()
  expect(stats?.labels).toMatchObject({ tls: 'true', client_id: web })
  expect(pair.outbound.dataPath.tcp.all()[0]?.labels).toMatchObject({ tls: 'true' })
})

test('over mesh TLS a half that has ended leaves the other one open', async () => {
  const { client } = await tunnel()
  await client.take((text) => text.endsWith('\r\n\r\n'))
  client.socket.end('\x01bytes', 'latin1')
  expect(await client.take()).toBe('app:\x01bytesapp:end')
  expect(client.reset).toBe(false)
})

test("the application's own TLS reaches it inside of mesh TLS, unbroken", async () => {
  const { client } = await tunnel()
  await client.take((text) => text.endsWith('\r\n\r\n'))
  const hello = await clientHello('app.test')
  client.write(hello)
  expect(await client.take((text) => text.length >= hello.length + 4)).toBe(`app:${hello}`)
})
