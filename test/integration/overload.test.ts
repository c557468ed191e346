/** A sidecar process that has less memory than it needs: it refuses requests, says so, and stays up. */
import { afterEach, expect, test } from 'vitest'
import { exchangeRaw, startRawServer } from '../support/raw-tcp.ts'
import { startSidecarProcess } from '../support/sidecar-process.ts'

const get = 'GET / HTTP/1.1\r\nHost: app.shop:8080\r\n\r\n'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function start(memoryLimit: string): ReturnType<typeof startSidecarProcess> {
  const upstream = await startRawServer((text, socket) => {
    if (text.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  })
  cleanups.push(() => upstream.stop())
  const sidecar = await startSidecarProcess(upstream.port, { settings: [`--memory-limit=${memoryLimit}`] })
  cleanups.push(() => sidecar.stop())
  return sidecar
}

test('with memory to spare requests are served, and the pressure is told', async () => {
  const sidecar = await start('4Gi')
  const { text } = await exchangeRaw(sidecar.port, [get], (all) => all.endsWith('ok'))
  expect(text).toMatch(/^HTTP\/1\.1 200 /)
  await expect.poll(() => sidecar.metric('overload_memory_share')).toBeGreaterThan(0)
  expect(await sidecar.metric('overload_step')).toBe(0)
})

test('above its limit requests get 503 with a time to come back; admin pages go on answering', async () => {
  const sidecar = await start('16Mi')
  await expect.poll(() => sidecar.metric('overload_step', 'resource="memory"')).toBe(2)
  const { text, closed } = await exchangeRaw(sidecar.port, [get])
  expect(text).toMatch(/^HTTP\/1\.1 503 /)
  expect(text).toMatch(/Retry-After: \d+\r\n/)
  expect(closed).toBe(true)
  expect(await sidecar.metric('overload_shed_requests_total')).toBe(1)
  expect(await sidecar.metric('overload_memory_share')).toBeGreaterThan(1)
  expect(await sidecar.metric('overload_step', 'resource="event_loop"')).toBe(0)
  expect(sidecar.log()).toContain('overload')
})
