/** Bytes of every kind on every port of real processes: they live on, and nothing stays behind. */
import net from 'node:net'
import tls from 'node:tls'
import * as grpc from '@grpc/grpc-js'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aggregatedDiscoveryService } from '../../api/xds/services.ts'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import type { ObservedProcess } from '../support/observed-process.ts'
import { type MeshProcesses, startMeshProcesses } from '../support/mesh-processes.ts'
import { exchangeRaw } from '../support/raw-tcp.ts'
import { fuzzSeed } from './fuzz-run.ts'
import { requestBytes, responseBytes } from './message-bytes.ts'
import { cut, cuts } from './pieces.ts'
import { http2Bytes, noiseBytes, tlsBytes } from './wire-bytes.ts'

const seconds = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 60)
/** Caches and pools grow to their size in this time, and so does compiled code. */
const warmUpSeconds = Math.min(15, seconds / 3)
const clientsPerPort = 6
const applicationPatienceMs = 2000
/** After the last connection: longer than any deadline that they could still be waiting for, and idle pools live. */
const settleMs = 70_000
/** Compiled code and what is remembered of names go on growing for a while; 100,000 connections of 100 bytes do not fit. */
const mayGrowBytes = 8 * 1024 * 1024

type Attempt = {
  readonly pieces: readonly string[]
  readonly secure: boolean
  readonly ending: 'fin' | 'reset' | 'destroy' | 'stay'
}

const ending = fc.constantFrom<Attempt['ending']>('fin', 'reset', 'destroy', 'destroy', 'stay')

/** Thousands of attempts that each port gets again and again, each time in another order. */
async function sampleAttempts(): Promise<readonly Attempt[]> {
  const bytes = fc.oneof(
    { weight: 6, arbitrary: requestBytes },
    { weight: 2, arbitrary: http2Bytes },
    { weight: 2, arbitrary: await tlsBytes() },
    { weight: 1, arbitrary: noiseBytes },
    { weight: 1, arbitrary: responseBytes },
  )
  const attempt = fc.tuple(bytes, cuts, ending).map(([text, places, end]): Attempt => {
    return { pieces: cut(text, places), secure: false, ending: end }
  })
  return fc.sample(attempt, { seed: fuzzSeed, numRuns: 5000 })
}

/** HTTP/2 within TLS, for the port that speaks nothing else. */
function sampleSecureAttempts(): readonly Attempt[] {
  const attempt = fc
    .tuple(
      fc.oneof({ weight: 4, arbitrary: http2Bytes }, { weight: 1, arbitrary: requestBytes }),
      cuts,
      ending,
    )
    .map(([text, places, end]): Attempt => ({ pieces: cut(text, places), secure: true, ending: end }))
  return fc.sample(attempt, { seed: fuzzSeed, numRuns: 2000 })
}

/** How long a client waits for whatever comes; now and then one outstays every deadline but the longest. */
function patienceMs(attempt: number): number {
  return attempt % 499 === 0 ? 12_000 : attempt % 7 === 0 ? 100 : 5
}

function run({ pieces, secure, ending: end }: Attempt, port: number, stayMs: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = secure
      ? tls.connect({ port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false })
      : net.connect({ port, host: '127.0.0.1', noDelay: true })
    const timer = setTimeout(() => socket.destroy(), stayMs + 1000)
    const finish = (): void => {
      if (end === 'fin') socket.end()
      if (end === 'reset' && !(socket instanceof tls.TLSSocket)) socket.resetAndDestroy()
      else if (end === 'destroy' || end === 'reset') socket.destroy()
      else setTimeout(() => socket.destroy(), stayMs)
    }
    socket.on('error', () => undefined)
    socket.on('data', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve()
    })
    socket.on(secure ? 'secureConnect' : 'connect', () => {
      const writeNext = (at: number): void => {
        if (socket.destroyed) return
        if (at === pieces.length) setTimeout(finish, 1)
        else socket.write(pieces[at] as string, 'latin1', () => setImmediate(writeNext, at + 1))
      }
      writeNext(0)
    })
  })
}

/** An application that answers what nobody would: each connection by the next reply of the list. */
async function startBadApplication(): Promise<net.Server> {
  const replies = fc.sample(fc.tuple(responseBytes, cuts, ending), { seed: fuzzSeed, numRuns: 3000 })
  let next = 0
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      if (bytes.includes('GET /healthy ')) {
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        return
      }
      const [text, places, end] = replies[next++ % replies.length] as (typeof replies)[number]
      for (const piece of cut(text, places)) socket.write(piece, 'latin1')
      if (end === 'fin') socket.end()
      if (end === 'reset') socket.resetAndDestroy()
      if (end === 'destroy') socket.destroy()
      // A client that has ended is owed its reply for as long as the application takes.
      setTimeout(() => socket.destroy(), applicationPatienceMs).unref()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

let application: net.Server
let mesh: MeshProcesses

beforeAll(async () => {
  application = await startBadApplication()
  mesh = await startMeshProcesses((application.address() as net.AddressInfo).port)
})

afterAll(async () => {
  await mesh.stop()
  application.close()
})

/** The code that a gRPC call without a valid token ends with: the port is served. */
async function grpcStatus(port: number, credentials: grpc.ChannelCredentials): Promise<number> {
  const client = new grpc.Client(`localhost:${port}`, credentials)
  const { path, requestSerialize, responseDeserialize } = aggregatedDiscoveryService.DeltaAggregatedResources
  const deadline = Date.now() + 10_000
  const code = await new Promise<number>((resolve) => {
    const stream = client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      new grpc.Metadata(),
      {
        deadline,
      },
    )
    stream.on('error', (error: grpc.ServiceError) => resolve(error.code))
    stream.on('data', () => undefined)
    stream.on('end', () => resolve(grpc.status.OK))
    stream.end()
  })
  client.close()
  return code
}

async function expectServing(): Promise<void> {
  const { ports } = mesh
  const healthy = 'GET /healthy HTTP/1.1\r\nHost: app.test\r\n\r\n'
  for (const port of [ports.outbound, ports.inbound]) {
    const reply = async (): Promise<string> =>
      (await exchangeRaw(port, [healthy], (sofar) => sofar.endsWith('\r\n\r\nok'))).text
    // On a machine that does other things as well it may say for a while that it takes no new requests.
    await expect.poll(reply, { timeout: settleMs, interval: 500 }).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  }
  for (const port of [ports.sidecarAdmin, ports.controlPlaneAdmin])
    expect((await fetchText(port, '/ready')).status).toBe(200)
  const secure = grpc.credentials.createSsl(mesh.roots)
  expect(await grpcStatus(ports.grpc, secure)).toBe(grpc.status.UNAUTHENTICATED)
  expect(await grpcStatus(ports.insecureXds, grpc.credentials.createInsecure())).toBe(grpc.status.OK)
}

/** Keeps every port busy until the time is over, or a process; gives the number of connections made. */
async function attack(
  attempts: readonly Attempt[],
  secure: readonly Attempt[],
  forSeconds: number,
): Promise<number> {
  const until = performance.now() + forSeconds * 1000
  let made = 0
  const client = async (port: number, all: readonly Attempt[], first: number): Promise<void> => {
    for (let i = first; performance.now() < until; i += clientsPerPort) {
      const fallen = [mesh.sidecar, mesh.controlPlane].find((one) => one.ended() !== undefined)
      if (fallen !== undefined) return
      await run(
        all[i % all.length] as Attempt,
        port,
        Math.min(patienceMs(i), Math.max(0, until - performance.now())),
      )
      made++
    }
  }
  const { grpc: grpcPort, ...others } = mesh.ports
  const start = fuzzSeed % attempts.length
  const clients = Array.from({ length: clientsPerPort }, (_, i) => start + i)
  await Promise.all([
    ...Object.values(others).flatMap((port) => clients.map((first) => client(port, attempts, first))),
    ...clients.map((first) => client(grpcPort, first % 3 === 0 ? attempts : secure, first)),
  ])
  return made
}

const processes = (): readonly ObservedProcess[] => [mesh.sidecar, mesh.controlPlane]

/** Waits until each process holds no more descriptors than `before`. */
async function untilClosed(before: readonly number[]): Promise<void> {
  const more = (): readonly number[] =>
    processes().map((one, i) => Math.max(0, one.openFiles() - (before[i] as number)))
  await expect.poll(more, { timeout: settleMs, interval: 250 }).toEqual([0, 0])
}

/** What each process holds once everything collectable is gone. */
async function heaps(): Promise<readonly number[]> {
  const bytes: number[] = []
  for (const one of processes()) bytes.push(await one.heapBytes())
  return bytes
}

const megabytes = (bytes: number | undefined): string => `${((bytes ?? 0) / 1e6).toFixed(1)} MB`

test('bytes of every kind on every port leave both processes as they were', async () => {
  const attempts = await sampleAttempts()
  const secure = sampleSecureAttempts()
  await expectServing()
  // Whatever an orderly connection leaves in a pool is gone by then.
  await new Promise((resolve) => setTimeout(resolve, 6000))
  const files = processes().map((one) => one.openFiles())
  await attack(attempts, secure, warmUpSeconds)
  const before = await heaps()
  const made = await attack(attempts, secure, seconds - warmUpSeconds)
  for (const one of processes())
    expect(one.ended(), `${one.name}, seed ${fuzzSeed}: ${one.log().slice(-4000)}`).toBeUndefined()
  await untilClosed(files)
  const after = await heaps()
  await expectServing()
  for (const [i, one] of processes().entries())
    process.stdout.write(
      `${one.name}: descriptors ${files[i]} before, ${one.openFiles()} after; heap ${megabytes(before[i])} before, ${megabytes(after[i])} after\n`,
    )
  process.stdout.write(`${made} connections in ${seconds} s, seed ${fuzzSeed}\n`)
  for (const [i, bytes] of after.entries()) expect(bytes - (before[i] as number)).toBeLessThan(mayGrowBytes)
})
