/** The inbound side's explicit addresses: each opens by itself, and one that is taken is tried until it is free. */
import net from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { freePorts } from '../../cli/demo/ports.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import type { InboundPort } from '../../proxy/cluster/cluster-config.ts'
import { startPlainDataPath } from '../support/plain-data-path.ts'
import { exchangeRaw, startRawServer } from '../support/raw-tcp.ts'

const request = 'GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n'

async function setUp() {
  const application = await startRawServer((_text, socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'))
  const [first = 0, second = 0, nowhere = 0] = await freePorts(3)
  const clock = new ManualClock()
  const problems: (string | undefined)[] = []
  const { dataPath, stop } = await startPlainDataPath([], {
    clock,
    outboundAddress: undefined,
    onInboundProblem: (problem) => void problems.push(problem?.code),
  })
  onTestFinished(async () => {
    stop()
    await application.stop()
  })
  const ports = [first, second].map(
    (port, i): InboundPort => ({
      listen: { host: '127.0.0.1', port },
      applicationHost: '127.0.0.1',
      applicationPort: i === 0 ? application.port : nowhere,
      protocol: 'detect',
    }),
  )
  return { dataPath, clock, problems, ports, first, second }
}

async function occupy(port: number): Promise<net.Server> {
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return server
}

test('a port in use keeps none of the others closed, is told, and opens once it is free', async () => {
  const { dataPath, clock, problems, ports, first, second } = await setUp()
  const blocker = await occupy(second)
  dataPath.setInbound({ ports: ports.toReversed() })
  await expect.poll(() => problems).toEqual(['PORT_IN_USE'])
  expect((await exchangeRaw(first, [request])).text).toMatch(/^HTTP\/1\.1 204 /)
  clock.advance(1_000)
  await expect.poll(() => problems).toEqual(['PORT_IN_USE', 'PORT_IN_USE'])
  await new Promise((resolve) => blocker.close(resolve))
  clock.advance(1_000)
  await expect.poll(() => problems.at(-1)).toBeUndefined()
  expect((await exchangeRaw(second, [request])).text).toMatch(/^HTTP\/1\.1 503 /)
})

test('a configuration that no longer names the port ends the trouble', async () => {
  const { dataPath, clock, problems, ports, second } = await setUp()
  await occupy(second)
  dataPath.setInbound({ ports })
  await expect.poll(() => problems).toEqual(['PORT_IN_USE'])
  dataPath.setInbound({ ports: ports.slice(0, 1) })
  await expect.poll(() => problems).toEqual(['PORT_IN_USE', undefined])
  clock.advance(10_000)
  expect(problems).toHaveLength(2)
})

test('nothing is opened any more once the sidecar drains', async () => {
  const { dataPath, ports, first, problems } = await setUp()
  await dataPath.drain()
  dataPath.setInbound({ ports })
  await new Promise((resolve) => setImmediate(resolve))
  expect(problems).toEqual([])
  await expect(
    new Promise((resolve, reject) =>
      net.connect(first, '127.0.0.1').on('error', reject).on('connect', resolve),
    ),
  ).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
