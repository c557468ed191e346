import { mkdtempSync, rmSync } from 'node:fs'
import http2, { type ServerHttp2Session } from 'node:http2'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Server } from '@grpc/grpc-js'
import { expect, onTestFinished, test } from 'vitest'
import { createLog } from '../core/log.ts'
import { ManualClock } from '../core/manual-clock.ts'
import { CertificateAuthority } from './ca/certificate-authority.ts'
import { MeshTrust } from './ca/mesh-trust.ts'
import { ServerCertificate } from './ca/server-certificate.ts'
import { StateFolder } from './ca/state-folder.ts'
import { TrustFolder } from './ca/trust-folder.ts'
import { http2ServersOf } from './http2-servers.ts'
import { StuckConnections } from './stuck-connections.ts'

/** A gRPC server over TLS that is watched, and one client's connection to it. */
async function setUp() {
  const parent = mkdtempSync(path.join(tmpdir(), 'weft-stuck-'))
  const clock = new ManualClock(Math.floor(Date.now() / 1000) * 1000)
  const log = createLog({ process: 'test', level: 'fatal', destination: { write: () => undefined } })
  const store = new TrustFolder({ folder: new StateFolder(parent), trustDomain: 'cluster.local', clock, log })
  const trust = await MeshTrust.open({ store, trustDomain: 'cluster.local', clock, log })
  const certificate = new ServerCertificate({
    authority: new CertificateAuthority({ issuer: () => trust.current.issuer, clock }),
    dnsNames: [],
    clientRoots: () => trust.current.bundlePem,
    clock,
    log,
  })
  await certificate.start()
  const server = new Server()
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', certificate.credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  const connections = new StuckConnections(clock)
  connections.watch(server)
  const session = new Promise<ServerHttp2Session>((resolve) => {
    for (const http2Server of http2ServersOf(server)) http2Server.once('session', resolve)
  })
  const client = http2.connect(`https://localhost:${port}`, { rejectUnauthorized: false })
  client.on('error', () => undefined)
  let closed = false
  client.on('close', () => {
    closed = true
  })
  onTestFinished(() => {
    client.destroy()
    connections.stop()
    certificate.stop()
    server.forceShutdown()
    rmSync(parent, { recursive: true })
  })
  return { clock, connections, client, session: await session, isClosed: () => closed }
}

/** More turns than it takes to hear of a connection's end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('a connection whose session is over is closed once its last frames had time to leave', async () => {
  const { clock, connections, session, isClosed } = await setUp()
  expect(connections.size).toBe(1)
  // What Node leaves behind: a session that says it is destroyed, and never closes its socket.
  Object.defineProperty(session, 'destroyed', { value: true })
  clock.advance(5_000)
  await settle()
  expect(isClosed()).toBe(false)
  clock.advance(5_000)
  await expect.poll(isClosed).toBe(true)
  await expect.poll(() => connections.size).toBe(0)
})

test('a connection whose session lives is left alone, and forgotten when it ends', async () => {
  const { clock, connections, client, isClosed } = await setUp()
  clock.advance(60_000)
  await settle()
  expect(isClosed()).toBe(false)
  expect(connections.size).toBe(1)
  client.close()
  await expect.poll(() => connections.size).toBe(0)
})
