import net from 'node:net'
import { expect, test } from 'vitest'
import { freePorts } from './ports.ts'

test('free ports all differ, and can be listened on', async () => {
  const ports = await freePorts(20)
  expect(new Set(ports).size).toBe(20)
  for (const port of ports) {
    const server = net.createServer()
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    await new Promise((resolve) => server.close(resolve))
  }
})

test('a port that is taken is passed over', async () => {
  const random = Math.random()
  const [free] = await freePorts(1, () => random)
  const taken = net.createServer()
  await new Promise<void>((resolve) => taken.listen(free, '127.0.0.1', resolve))
  const [next] = await freePorts(1, () => random)
  await new Promise((resolve) => taken.close(resolve))
  expect(next).not.toBe(free)
})
