import http2 from 'node:http2'
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  status,
} from '@grpc/grpc-js'
import { expect, onTestFinished, test } from 'vitest'
import { aggregatedDiscoveryService } from '../../api/xds/services.ts'
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from '../../api/xds/types.ts'
import { WeftError } from '../../core/errors.ts'
import { createLog } from '../../core/log.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { ConnectionGuard, type GuardLimits } from '../connection-guard.ts'
import type { Authenticator, WorkloadIdentity } from './authenticator.ts'
import { authenticateCall } from './call-authentication.ts'
import { CallAdmission } from './call-admission.ts'

const web = { namespace: 'shop', serviceAccount: 'web' }
type Call = ServerDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>

const callHeaders = {
  ':method': 'POST',
  ':path': '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources',
  'content-type': 'application/grpc',
  te: 'trailers',
  authorization: 'Bearer any',
}

/** A server whose only method counts what reaches it, and who called. */
async function setUp(
  options: {
    authenticate?: () => Promise<WorkloadIdentity>
    certified?: WorkloadIdentity
    limits?: GuardLimits
  } = {},
) {
  const clock = new ManualClock()
  const asked: string[] = []
  const authenticator: Authenticator = {
    authenticate: (bearer) => {
      asked.push(bearer)
      if (options.authenticate !== undefined) return options.authenticate()
      return bearer === 'good'
        ? Promise.resolve(web)
        : Promise.reject(new WeftError('TOKEN_INVALID', 'a bad one'))
    },
  }
  const guard = new ConnectionGuard(clock, options.limits)
  const admission = new CallAdmission({
    authenticator,
    certificates: { identityOf: () => options.certified },
    clock,
    log: createLog({ process: 'test', level: 'silent' }),
    onAdmitted: (peer) => guard.admitted(peer),
    failuresBurst: 3,
  })
  const server = new Server({ interceptors: [admission.interceptor] })
  const served: { callers: WorkloadIdentity[]; messages: number } = { callers: [], messages: 0 }
  server.addService(aggregatedDiscoveryService, {
    StreamAggregatedResources: () => undefined,
    DeltaAggregatedResources: (call: Call) => {
      void authenticateCall(call.metadata, authenticator).then((caller) => served.callers.push(caller))
      call.on('data', () => served.messages++)
      call.on('error', () => undefined)
      call.sendMetadata(new Metadata())
    },
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  guard.watch(server)
  onTestFinished(() => {
    guard.stop()
    server.forceShutdown()
  })
  /** Opens a stream and gives its status, or 'open' once it was accepted. */
  const open = (bearer: string): Promise<number | 'open'> => {
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    })
    onTestFinished(() => client.close())
    const metadata = new Metadata()
    metadata.set('authorization', `Bearer ${bearer}`)
    const { path, requestSerialize, responseDeserialize } =
      aggregatedDiscoveryService.DeltaAggregatedResources
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata)
    stream.write({ typeUrl: 'x' })
    return new Promise((resolve) => {
      stream.on('error', ({ code }: { readonly code: number }) => resolve(code))
      stream.on('metadata', () => resolve('open'))
    })
  }
  const connection = (from: { readonly localAddress?: string } = {}) => {
    const session = http2.connect(`http://127.0.0.1:${port}`, from as http2.ClientSessionOptions)
    session.on('error', () => undefined)
    onTestFinished(() => session.destroy())
    return session
  }
  return { clock, guard, served, asked, open, connection, port }
}

test('a token is checked once, and its handler knows the caller', async () => {
  const { open, served, asked } = await setUp()
  expect(await open('good')).toBe('open')
  await expect.poll(() => served.callers).toEqual([web])
  expect(asked).toEqual(['good'])
  await expect.poll(() => served.messages).toBe(1)
})

test('nothing of a message is read before its token is judged, and nothing at all of a stranger', async () => {
  const verdict = Promise.withResolvers<WorkloadIdentity>()
  const { connection, served, asked } = await setUp({ authenticate: () => verdict.promise })
  const stream = connection().request(callHeaders)
  stream.on('error', () => undefined)
  let written = 0
  const piece = Buffer.alloc(16 * 1024, 1)
  // A message that claims 3 MiB, as much of it as the other side takes.
  stream.write(Buffer.from([0, 0, 0x30, 0, 0]))
  for (let i = 0; i < 192; i++) stream.write(piece, () => (written += piece.length))
  await expect.poll(() => asked.length).toBe(1)
  await new Promise((resolve) => setTimeout(resolve, 100))
  // No more than the window of one stream.
  expect(written).toBeLessThanOrEqual(80 * 1024)
  verdict.reject(new WeftError('TOKEN_INVALID', 'a bad one'))
  const trailers = await new Promise<http2.IncomingHttpHeaders>((resolve) => stream.on('response', resolve))
  expect(trailers['grpc-status']).toBe(String(status.UNAUTHENTICATED))
  expect(served.messages).toBe(0)
})

test('of a machine where tokens fail again and again only eight are judged at a time; of others all', async () => {
  const verdict = Promise.withResolvers<WorkloadIdentity>()
  let failing = true
  const bad = () => Promise.reject(new WeftError('TOKEN_INVALID', 'a bad one'))
  const { open, asked, connection } = await setUp({ authenticate: () => (failing ? bad() : verdict.promise) })
  for (let i = 0; i < 3; i++) expect(await open('bad')).toBe(status.UNAUTHENTICATED)
  failing = false
  const waiting = Array.from({ length: 8 }, () => open('slow'))
  await expect.poll(() => asked.length).toBe(11)
  expect(await open('slow')).toBe(status.RESOURCE_EXHAUSTED)
  const elsewhere = connection({ localAddress: '127.0.0.2' }).request(callHeaders)
  elsewhere.on('error', () => undefined)
  await expect.poll(() => asked.length).toBe(12)
  verdict.resolve(web)
  expect(await Promise.all(waiting)).toEqual(Array.from({ length: 8 }, () => 'open'))
})

test('a connection without an admitted call is closed after 15 s; one with a call stays', async () => {
  const { open, guard, connection, clock } = await setUp()
  const session = connection()
  expect(await open('good')).toBe('open')
  await expect.poll(() => guard.strangers).toBe(1)
  const closed = new Promise((resolve) => session.on('close', resolve))
  clock.advance(20_000)
  await closed
  await expect.poll(() => guard.strangers).toBe(0)
  expect(guard.refused).toBe(1)
})

test('strangers of one machine, and all together, are only so many', async () => {
  const { guard, connection, open } = await setUp({ limits: { ofOneMachine: 2, together: 5 } })
  connection()
  connection()
  await expect.poll(() => guard.strangers).toBe(2)
  const third = connection()
  await new Promise((resolve) => third.on('close', resolve))
  expect(guard.refused).toBe(1)
  expect(guard.strangers).toBe(2)
  expect(await open('good')).toBe(status.UNAVAILABLE)
})

test('who has shown a certificate is let in while nobody can say anything of its token', async () => {
  const away = () => Promise.reject(new WeftError('KUBERNETES_UNREACHABLE', 'connect ECONNREFUSED'))
  const { open, served } = await setUp({ authenticate: away, certified: web })
  expect(await open('any')).toBe('open')
  await expect.poll(() => served.callers).toEqual([web])
  const { open: openWithout } = await setUp({ authenticate: away })
  expect(await openWithout('any')).toBe(status.UNAVAILABLE)
})

test('nor does it wait for an API server that says nothing', async () => {
  const { open, asked, clock } = await setUp({
    authenticate: () => new Promise(() => undefined),
    certified: web,
  })
  const opened = open('any')
  await expect.poll(() => asked.length).toBe(1)
  clock.advance(3_000)
  expect(await opened).toBe('open')
})
