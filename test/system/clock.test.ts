/** A mesh whose wall clock is set forward and back, and whose control plane is away for longer than certificates live. */
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeTime, fakeTime } from '../support/fake-time.ts'
import { TwinMesh, type TwinSide } from '../support/twin-mesh.ts'
import { describeWithFakeTime } from './requirements.ts'

const hourS = 3_600
const dayS = 24 * hourS
const recoversWithinMs = 60_000
const backWithinMs = 10_000

type Tunnel = { readonly status: string; readonly socket: net.Socket }

/** A tunnel of its own is a handshake of its own. */
function openTunnel({ outbound }: TwinSide, to: string): Promise<Tunnel> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(outbound, '127.0.0.1')
    let text = ''
    socket.on('error', reject)
    socket.on('close', () => resolve({ status: text || 'cut off', socket }))
    socket.setEncoding('latin1').on('data', function head(piece: string) {
      text += piece
      if (!text.includes('\r\n\r\n')) return
      socket.off('data', head)
      resolve({ status: text, socket })
    })
    socket.write(`CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n\r\n`)
  })
}

/** The reply to a request through the tunnel, which stays open. */
function ask({ socket }: Tunnel): Promise<string> {
  return new Promise((resolve) => {
    // In TLS 1.3 a client learns that it was refused once it believes to be connected.
    if (socket.destroyed) resolve('closed')
    socket.once('data', (piece: string) => resolve(piece))
    socket.once('close', () => resolve('closed'))
    socket.write('GET / HTTP/1.1\r\nHost: app\r\n\r\n')
  })
}

async function newConnections({ left, right }: TwinMesh): Promise<readonly string[]> {
  const tunnels = await Promise.all([
    openTunnel(left, 'right.shop:8080'),
    openTunnel(right, 'left.shop:8080'),
  ])
  const replies = await Promise.all(
    tunnels.map(async (tunnel) => (tunnel.status.startsWith('HTTP/1.1 200') ? ask(tunnel) : tunnel.status)),
  )
  for (const { socket } of tunnels) socket.destroy()
  return replies.map((reply) => reply.split('\r\n')[0] as string)
}

const well = ['HTTP/1.1 200 OK', 'HTTP/1.1 200 OK']

async function untilWell(mesh: TwinMesh, withinMs: number): Promise<number> {
  const begunMs = performance.now()
  await expect.poll(() => newConnections(mesh), { timeout: withinMs, interval: 250 }).toEqual(well)
  return performance.now() - begunMs
}

describeWithFakeTime('a wall clock that is set', () => {
  let folder: string
  let time: FakeTime
  let mesh: TwinMesh
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'weft-time-'))
    time = fakeTime(folder)
    mesh = await TwinMesh.start({ env: time.env })
  })
  afterAll(async () => {
    await mesh?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test.each([
    ['forward by 1 h', hourS],
    ['back by 1 h', 0],
    ['back by another', -hourS],
    ['forward by 2 d', -hourS + 2 * dayS],
    ['back by 2 d', -hourS],
  ])(
    '%s: new connections are made again within a minute, by themselves',
    async (what, offsetS) => {
      time.set(offsetS)
      const tookMs = await untilWell(mesh, recoversWithinMs)
      process.stderr.write(`clock set ${what}: well after ${(tookMs / 1000).toFixed(1)} s\n`)
    },
    70_000,
  )

  test('a CA that is away for longer than a certificate lives: connections that stand go on, new ones say why not', async () => {
    const standing = await openTunnel(mesh.left, 'right.shop:8080')
    expect(await ask(standing)).toMatch(/^HTTP\/1\.1 200 /)
    await mesh.stopControlPlane()
    time.set(2 * dayS)
    await expect
      .poll(async () => (await openTunnel(mesh.left, 'right.shop:8080')).status)
      .toContain('IDENTITY_EXPIRED')
    expect(await ask(standing)).toMatch(/^HTTP\/1\.1 200 /)
    expect(
      await mesh.left.metric('tls_handshakes_total', 'direction="outbound",outcome="IDENTITY_EXPIRED"'),
    ).toBeGreaterThan(0)
    await expect.poll(() => mesh.left.log(), { timeout: 15_000 }).toContain('"code":"CERTIFICATE_EXPIRED"')
    await mesh.startControlPlane()
    const tookMs = await untilWell(mesh, backWithinMs)
    process.stderr.write(`the CA is back: well after ${(tookMs / 1000).toFixed(1)} s\n`)
    expect(await ask(standing)).toMatch(/^HTTP\/1\.1 200 /)
    standing.socket.destroy()
  }, 60_000)
})
