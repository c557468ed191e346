/** CONNECT to the outbound side in explicit mode: opened only to where connections may go, refused everywhere else. */
import { expect, onTestFinished, test } from 'vitest'
import { freePorts } from '../../cli/demo/ports.ts'
import type { DataPathOptions } from '../../proxy/data-path-options.ts'
import { setEndpoints, startPlainDataPath } from '../support/plain-data-path.ts'
import { exchangeRaw, RawClient, startRawServer } from '../support/raw-tcp.ts'
import { startTcpApplication } from '../support/tcp-application.ts'

const established = 'HTTP/1.1 200 Connection established\r\n\r\n'

function head(target: string, more = ''): string {
  return `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${more}\r\n`
}

async function setUp(overrides: Partial<DataPathOptions> = {}) {
  const app = await startTcpApplication('db')
  const { dataPath, port, stop } = await startPlainDataPath([app.port], overrides)
  onTestFinished(async () => {
    stop()
    await app.stop()
  })
  setEndpoints(dataPath, 'db', [app.port])
  dataPath.setTcpRoute('db.test:5432', { clusters: [{ cluster: 'db', weight: 1 }], opaque: true })
  return { app, dataPath, port }
}

test('opens a tunnel to a destination that takes connections; bytes sent with it go first', async () => {
  const { dataPath, port } = await setUp()
  const { text } = await exchangeRaw(port, [`${head('db:5432')}\x01early`], (sofar) =>
    sofar.endsWith('early'),
  )
  expect(text).toBe(`${established}db:\x01early`)
  await expect.poll(() => dataPath.tcp.all()[0]?.closed).toBe(1)
  expect(dataPath.tcp.all()[0]?.writtenBytes).toBe(6)
})

test('byte by byte, too', async () => {
  const { port } = await setUp()
  const { text } = await exchangeRaw(port, head('db.test:5432').split(''), (sofar) =>
    sofar.endsWith('\r\n\r\n'),
  )
  expect(text).toBe(established)
})

const refused = [
  ['to a destination that takes requests only', head('app.test:80')],
  ['to one that the mesh does not know', head('elsewhere.example:443')],
  ['without a port', head('db.test')],
  ['in another form', 'CONNECT /db HTTP/1.1\r\nHost: db.test:5432\r\n\r\n'],
] as const

test.each(refused)('is refused %s, and so is all that follows', async (_, request) => {
  const { app, port } = await setUp()
  const next = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n'
  const { text, closed } = await exchangeRaw(port, [request + next])
  expect(text).toMatch(
    /^HTTP\/1\.1 405 .*\r\nConnection: close\r\n\r\nREQUEST_MALFORMED: CONNECT is not allowed here\n$/s,
  )
  expect(closed).toBe(true)
  expect(app.opened()).toBe(0)
})

test.each([
  ['a body', head('db.test:5432', 'Content-Length: 5\r\n')],
  ['a chunked body', head('db.test:5432', 'Transfer-Encoding: chunked\r\n')],
  ['no Host', 'CONNECT db.test:5432 HTTP/1.1\r\n\r\n'],
  ['two Hosts', head('db.test:5432', 'Host: db.test:5432\r\n')],
])('is malformed with %s', async (_, request) => {
  const { app, port } = await setUp()
  const { text, closed } = await exchangeRaw(port, [request])
  expect(text).toMatch(/^HTTP\/1\.1 400 /)
  expect(closed).toBe(true)
  expect(app.opened()).toBe(0)
})

test('where the policy allows it, opens one to what the mesh does not know', async () => {
  const { app, port } = await setUp({ outboundPolicy: 'allow' })
  const client = new RawClient(port)
  onTestFinished(() => client.destroy())
  client.write(`${head(`127.0.0.1:${app.port}`)}\x01`)
  expect(await client.take((text) => text.endsWith('\x01'))).toBe(`${established}db:\x01`)
})

test('to the sidecar itself would be a loop', async () => {
  const { port } = await setUp({ outboundPolicy: 'allow' })
  const { text, closed } = await exchangeRaw(port, [head(`127.0.0.1:${port}`)])
  expect(text).toMatch(/^HTTP\/1\.1 508 .*LOOP_DETECTED/s)
  expect(closed).toBe(true)
})

test('that cannot be connected is answered, and ends the connection: nobody knows what its bytes are', async () => {
  const { app, dataPath, port } = await setUp()
  const [nobody = 0] = await freePorts(1)
  setEndpoints(dataPath, 'db', [nobody])
  const next = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n'
  const { text, closed } = await exchangeRaw(port, [head('db.test:5432') + next])
  expect(text).toMatch(/^HTTP\/1\.1 503 .*\r\nweft-error: UF\r\n/s)
  expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  expect(closed).toBe(true)
  expect(app.opened()).toBe(0)
})

test('is refused on the inbound side, whatever the port', async () => {
  const app = await startRawServer(() => undefined)
  const [listenPort = 0] = await freePorts(1)
  const { dataPath } = await setUp({ outboundPolicy: 'allow' })
  onTestFinished(() => app.stop())
  const listen = { host: '127.0.0.1', port: listenPort }
  dataPath.setInbound({
    ports: [{ listen, applicationHost: '127.0.0.1', applicationPort: app.port, protocol: 'detect' }],
  })
  await expect.poll(() => dataPath.inboundPorts).toHaveLength(1)
  const { text } = await exchangeRaw(listenPort, [head('db.test:5432')])
  expect(text).toMatch(/^HTTP\/1\.1 405 /)
  expect(app.connections()).toBe(0)
})

test('is refused where the client takes us for the server that it dialled', async () => {
  const { app, port } = await setUp({ originalDestination: () => '10.0.0.1:80', outboundPolicy: 'allow' })
  const { text } = await exchangeRaw(port, [head('db.test:5432')])
  expect(text).toMatch(/^HTTP\/1\.1 405 /)
  expect(app.opened()).toBe(0)
})
