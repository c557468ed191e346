/** Servers that end connections, or themselves, as rolling updates do: no call fails for it. */
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import * as grpc from '@grpc/grpc-js'
import { afterEach, expect, test } from 'vitest'
import { meshYaml } from '../support/file-mesh.ts'
import { duplex, statusOf, unary } from '../support/interop/interop-cases.ts'
import { type InteropServer, startInteropServer } from '../support/interop/interop-server.ts'
import { testService } from '../support/interop/test-service.ts'
import {
  removeFolder,
  startTestControlPlane,
  type TestControlPlane,
} from '../support/running-control-plane.ts'
import { startSidecar } from '../support/sidecar-process.ts'

const inFlight = 16

type Listening = { readonly port: number }

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

function yamlOf(servers: readonly Listening[]): string {
  return meshYaml({ orders: servers.map(({ port }) => port) })
}

async function startMesh(
  servers: readonly Listening[],
): Promise<{ readonly plane: TestControlPlane; readonly client: grpc.Client }> {
  const plane = await startTestControlPlane({ 'mesh.yaml': yamlOf(servers) })
  cleanups.push(() => removeFolder(plane.folder), plane.stop)
  const sidecar = await startSidecar(plane)
  cleanups.push(sidecar.stop)
  const client = new grpc.Client(`127.0.0.1:${sidecar.port}`, grpc.credentials.createInsecure(), {
    'grpc.default_authority': 'orders.shop:8080',
  })
  cleanups.push(() => client.close())
  return { plane, client }
}

/** Calls without a pause until `during` is over; resolves with how many there were, and how those that failed did. */
async function load(client: grpc.Client, during: () => Promise<void>) {
  let over = false
  let calls = 0
  const failed: string[] = []
  const lane = async (): Promise<void> => {
    while (!over) {
      const { code, details } = await unary(client, testService.unaryCall, { responseSize: 1_000 })
      calls++
      if (code !== grpc.status.OK) failed.push(`${code} ${details}`)
    }
  }
  const lanes = Array.from({ length: inFlight }, lane)
  await during()
  over = true
  await Promise.all(lanes)
  return { calls, failed }
}

/** A server that says GOAWAY on each connection after some streams, and takes no more on it. */
async function startLeavingServer(
  streamsEach: number,
): Promise<{ readonly port: number; readonly left: () => number }> {
  let left = 0
  const sessions = new Set<http2.ServerHttp2Session>()
  const server = http2.createServer()
  server.on('session', (session) => {
    sessions.add(session)
    let streams = 0
    session.on('stream', (opened) => {
      const stream = opened as http2.ServerHttp2Stream
      stream.on('error', () => undefined)
      stream.resume()
      stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      // An empty message; a call in flight when the connection is left goes on.
      setImmediate(() => stream.end(Buffer.alloc(5)))
      if (++streams !== streamsEach) return
      left++
      session.close()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, left: () => left }
}

test('GOAWAY, again and again under load, fails no call', async () => {
  const server = await startLeavingServer(60)
  const { client } = await startMesh([server])
  const { calls, failed } = await load(client, async () => {
    await expect.poll(server.left, { timeout: 20_000 }).toBeGreaterThan(8)
  })
  expect(failed).toEqual([])
  expect(calls).toBeGreaterThan(450)
})

test('a rolling update fails no call, and lets the streams on old servers finish', async () => {
  const servers = [await startInteropServer('old-1'), await startInteropServer('old-2')]
  cleanups.push(() => servers.forEach((server) => server.stop()))
  const { plane, client } = await startMesh(servers)
  const stream = duplex(client)
  const sizes: number[] = []
  stream.on('data', ({ payload }: { payload: { body: Buffer } }) => sizes.push(payload.body.length))
  stream.write({ responseParameters: [{ size: 1 }] })
  await expect.poll(() => sizes.length).toBe(1)
  const { calls, failed } = await load(client, async () => {
    for (let i = 0; i < 2; i++) {
      const fresh = await startInteropServer(`new-${i}`)
      const old = servers.shift() as InteropServer
      servers.push(fresh)
      plane.write('mesh.yaml', yamlOf(servers))
      // As a pod does: it drains at once, whether its clients have heard of it or not.
      void old.drain().then(old.stop)
      await expect.poll(() => fresh.served.calls, { timeout: 10_000 }).toBeGreaterThan(50)
    }
  })
  expect(failed).toEqual([])
  expect(calls).toBeGreaterThan(100)
  stream.write({ responseParameters: [{ size: 2 }] })
  stream.end()
  expect((await statusOf(stream)).code).toBe(grpc.status.OK)
  expect(sizes).toEqual([1, 2])
})
