/** A workload that takes mesh mTLS only: nothing in clear reaches it, whatever protocol it is in. */
import { expect, onTestFinished, test } from 'vitest'
import { freePorts } from '../../cli/demo/ports.ts'
import type { InboundConfig } from '../../proxy/cluster/cluster-config.ts'
import { startPlainDataPath } from '../support/plain-data-path.ts'
import { ask, connectHttp2 } from '../support/http2-client.ts'
import { RawClient, startRawServer } from '../support/raw-tcp.ts'

async function setUp(mtls: InboundConfig['mtls'], protocol: 'detect' | 'opaque') {
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
    mtls,
    ports: [{ listen, applicationHost: '127.0.0.1', applicationPort, protocol }],
  })
  await expect.poll(() => dataPath.inboundPorts.length).toBe(1)
  return { application, port, refused }
}

const cases = [
  { name: 'bytes of no protocol', bytes: '\0\x01\x02\x03binary', protocol: 'detect' },
  { name: 'bytes for an opaque port', bytes: 'PING\r\n', protocol: 'opaque' },
] as const

test.each(cases)('strict: $name in clear are refused', async ({ bytes, protocol }) => {
  const { application, port, refused } = await setUp('strict', protocol)
  const client = new RawClient(port)
  onTestFinished(() => client.destroy())
  client.write(bytes)
  await expect.poll(() => refused).toEqual(['REQUEST_DENIED'])
  expect(application.connections()).toBe(0)
})

test.each(cases)('permissive: $name pass', async ({ bytes, protocol }) => {
  const { application, port } = await setUp('permissive', protocol)
  const client = new RawClient(port)
  onTestFinished(() => client.destroy())
  client.write(bytes)
  await expect.poll(() => application.received[0]).toBe(bytes)
})

test('strict: a request over HTTP/2 in clear is refused as one over HTTP/1 is', async () => {
  const { application, port } = await setUp('strict', 'detect')
  const session = connectHttp2(port)
  onTestFinished(() => session.destroy())
  const { status, headers } = await ask(session)
  expect(status).toBe(403)
  expect(headers['weft-error']).toBe('UAEX')
  expect(application.connections()).toBe(0)
})
