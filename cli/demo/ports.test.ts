import net from 'node:net'
import { expect, test } from 'vitest'
import { freePorts } from './ports.ts'

test('free ports all differ, and can be listened on', async () => {
  const ports = await freePorts(20)
  expect(new Set(ports).size).toBe(20)
  for (const port of ports) {
    const server = await listen(port)
    await new Promise((resolve) => server.close(resolve))
  }
})

function listen(port: number): Promise<net.Server> {
  const server = net.createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

test('a port that is taken is passed over', async () => {
  const [before = 0] = await freePorts(1)
  const taken = await listen(before + 1)
  const [next = 0] = await freePorts(1)
  await new Promise((resolve) => taken.close(resolve))
  expect(next).not.toBe(before + 1)
})

test('who asks twice is given other ports the second time, though nobody listens on the first', async () => {
  const given = [...(await freePorts(3)), ...(await freePorts(3))]
  expect(new Set(given).size).toBe(6)
})
