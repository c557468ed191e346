/** A sidecar that may have few file descriptors: it takes what it can serve, and survives having none. */
import { once } from 'node:events'
import net from 'node:net'
import path from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { cpuNs } from '../../bench/process.ts'
import { exchangeRaw, startRawServer } from '../support/raw-tcp.ts'
import { spawnLimited, startSidecarProcess, stopChild } from '../support/sidecar-process.ts'

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

/** Connects `count` times; those that are refused are closed by the other side. */
async function connectAll(port: number, count: number): Promise<readonly net.Socket[]> {
  const sockets = Array.from({ length: count }, () => net.connect({ port, host: '127.0.0.1' }))
  for (const socket of sockets) {
    socket.on('error', () => undefined)
    socket.on('data', () => undefined)
    cleanups.push(() => socket.destroy())
  }
  await Promise.all(sockets.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])))
  return sockets
}

const open = (sockets: readonly net.Socket[]): readonly net.Socket[] =>
  sockets.filter((socket) => !socket.destroyed)

/** The share of one CPU that the process uses in the next second. */
async function cpuShare(pid: number): Promise<number> {
  const before = cpuNs(pid)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  return (cpuNs(pid) - before) / 1e9
}

test('with 160 descriptors, 48 of 300 connections are taken, and every one of them is served', async () => {
  const waiting: net.Socket[] = []
  const upstream = await startRawServer((text, socket) => {
    // All at once, so that each connection needs one of its own to the application.
    if (text.endsWith('\r\n\r\n')) waiting.push(socket)
    if (waiting.length >= 48) for (const each of waiting.splice(0)) each.write(ok)
  })
  cleanups.push(() => upstream.stop())
  const sidecar = await startSidecarProcess(upstream.port, {
    openFiles: 160,
    settings: ['--max-connections=1000'],
  })
  cleanups.push(() => sidecar.stop())
  expect(sidecar.log()).toContain('too few file descriptors')
  const sockets = await connectAll(sidecar.port, 300)
  await expect.poll(() => open(sockets).length).toBe(48)
  expect(await sidecar.metric('tcp_refused_connections_total')).toBe(252)
  expect(await sidecar.metric('tcp_connections_limit')).toBe(48)
  const replies = open(sockets).map(async (socket) => {
    const reply = once(socket, 'data')
    socket.write('GET / HTTP/1.1\r\nHost: app.shop:8080\r\n\r\n')
    return String((await reply)[0])
  })
  for (const reply of await Promise.all(replies)) expect(reply).toMatch(/^HTTP\/1\.1 200 /)
  expect(await sidecar.metric('process_open_fds')).toBeLessThan(160)
  for (const socket of sockets) socket.destroy()
  const again = (): Promise<string> =>
    connectAll(sidecar.port, 1).then(async ([socket]) => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      return socket?.destroyed === true ? 'refused' : 'taken'
    })
  await expect.poll(again).toBe('taken')
})

test('without any descriptor left connections are refused at once, without spinning, until there are some', async () => {
  const upstream = await startRawServer((text, socket) => {
    if (text.endsWith('\r\n\r\n')) socket.write(ok)
  })
  cleanups.push(() => upstream.stop())
  const child = spawnLimited(
    [path.join(import.meta.dirname, '../support/exhausted-sidecar.ts'), String(upstream.port)],
    128,
  )
  cleanups.push(() => stopChild(child))
  let output = ''
  child.stdout?.on('data', (piece: Buffer) => {
    output += piece.toString()
  })
  await expect.poll(() => output, { timeout: 10_000 }).toContain('full')
  const port = Number(output.split('\n')[0])
  const sockets = await connectAll(port, 100)
  await expect.poll(() => open(sockets).length).toBe(0)
  // More of them while it is measured: a listener that cannot accept must not be woken for ever by what waits.
  const more = setInterval(() => void connectAll(port, 1), 50)
  expect(await cpuShare(child.pid as number)).toBeLessThan(0.5)
  clearInterval(more)
  expect(child.exitCode).toBeNull()
  child.stdin?.write('free\n')
  await expect.poll(() => output).toContain('free')
  const { text } = await exchangeRaw(port, ['GET / HTTP/1.1\r\nHost: app.test\r\n\r\n'], (all) =>
    all.endsWith('ok'),
  )
  expect(text).toMatch(/^HTTP\/1\.1 200 /)
})
