/** A workload that takes mesh mTLS only: nothing in clear reaches it, whatever protocol it is in. */
import { expect, onTestFinished, test } from 'vitest'
import { untilOpen } from '../../bench/process.ts'
import { freePorts } from '../../cli/demo/ports.ts'
import { type AccessRules, meshTlsOnly } from '../../proxy/authz/access-rules.ts'
import { startPlainDataPath } from '../support/plain-data-path.ts'
import { ask, connectHttp2 } from '../support/http2-client.ts'
import { RawClient, startRawServer } from '../support/raw-tcp.ts'

async function setUp(access: AccessRules | undefined, protocol: 'detect' | 'opaque') {
  const application = await startRawServer((_text, socket) => socket.write('hello'))
  const [port = 0] = await freePorts(1)
  const refused: string[] = []
  const { dataPath, stop } = await startPlainDataPath([], {
    outboundAddress: undefined,
    onRefused: (error) => void refused.push(error.code),
  })
  onTestFinished(async () => {
    stop()
    await application.stop()
  })
  const listen = { host: '127.0.0.1', port }
  const { port: applicationPort } = application
  dataPath.setInbound({
    ports: [{ listen, applicationHost: '127.0.0.1', applicationPort, protocol, access }],
  })
  await expect.poll(() => dataPath.inboundPorts.length).toBe(1)
  return { application, port, refused }
}

const cases = [
  { name: 'bytes of no protocol', bytes: '\0\x01\x02\x03binary', protocol: 'detect' },
  { name: 'bytes for an opaque port', bytes: 'PING\r\n', protocol: 'opaque' },
] as const

test.each(cases)('strict: $name in clear are refused', async ({ bytes, protocol }) => {
  const { application, port, refused } = await setUp(meshTlsOnly, protocol)
  const client = new RawClient(port)
  onTestFinished(() => client.destroy())
  client.write(bytes)
  await expect.poll(() => refused).toEqual(['REQUEST_DENIED'])
  expect(application.connections()).toBe(0)
})

test.each(cases)('permissive: $name pass', async ({ bytes, protocol }) => {
  const { application, port } = await setUp(undefined, protocol)
  const client = new RawClient(port)
  onTestFinished(() => client.destroy())
  client.write(bytes)
  await expect.poll(() => application.received[0]).toBe(bytes)
})

test('strict: a request over HTTP/2 in clear is refused as one over HTTP/1 is', async () => {
  const { application, port } = await setUp(meshTlsOnly, 'detect')
  const session = connectHttp2(port)
  onTestFinished(() => session.destroy())
  const { status, headers } = await ask(session)
  expect(status).toBe(403)
  expect(headers['weft-error']).toBe('UAEX')
  expect(application.connections()).toBe(0)
})

test('a port that nobody has named follows the rules for the rest, on connections that stand as well', async () => {
  const application = await startRawServer((_text, socket) =>
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
  )
  const [port = 0] = await freePorts(1)
  const { dataPath, stop } = await startPlainDataPath([], {
    outboundAddress: undefined,
    inboundAddress: { host: '127.0.0.1', port },
    originalDestination: () => `127.0.0.1:${application.port}`,
  })
  onTestFinished(async () => {
    stop()
    await application.stop()
  })
  dataPath.setInbound({ ports: [] })
  await untilOpen(port)
  const client = new RawClient(port)
  onTestFinished(() => client.destroy())
  const statusOf = async (): Promise<string> => {
    client.write('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
    return (await client.take((text) => /\n(?:ok|REQUEST_DENIED.*\n)$/.test(text))).slice(9, 12)
  }
  expect(await statusOf()).toBe('200')
  dataPath.setInbound({ ports: [], access: meshTlsOnly })
  await expect.poll(statusOf).toBe('403')
  dataPath.setInbound({ ports: [] })
  await expect.poll(statusOf).toBe('200')
})
