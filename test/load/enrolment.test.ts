/**
 * 1,000 sidecars ask for certificates: each at its own moment of 10 s, on a connection of its own, as they do when they
 * start or another root issues; then all of them in one moment, on the connections that they have, and on new ones.
 */
import http2 from 'node:http2'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { createSecureContext, type SecureContext } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { decode } from '../../api/xds/codec.ts'
import { certificateService } from '../../api/xds/services.ts'
import { createCertificateRequest } from '../../proxy/identity/certificate-request.ts'
import { makeKey } from '../../proxy/identity/own-certificate.ts'
import { TwinMesh } from '../support/twin-mesh.ts'

const count = 1_000
const spreadMs = 10_000
const { path: method, requestSerialize } = certificateService.CreateCertificate

function connect(port: number, secureContext: SecureContext): Promise<http2.ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`https://localhost:${port}`, { secureContext })
    session.on('error', reject)
    session.once('connect', () => resolve(session))
  })
}

/** One enrolment; how long it took. Light, so that what is measured is the control plane. */
function enrol(session: http2.ClientHttp2Session, token: string, frame: Buffer): Promise<number> {
  const startedMs = performance.now()
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': method,
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: `Bearer ${token}`,
    })
    const pieces: Buffer[] = []
    let status: unknown
    stream.on('trailers', (trailers) => (status = trailers['grpc-status']))
    stream.on('response', (headers) => (status ??= headers['grpc-status']))
    stream.on('data', (piece: Buffer) => pieces.push(piece))
    stream.on('error', reject)
    stream.on('close', () => {
      const tookMs = performance.now() - startedMs
      const reply = Buffer.concat(pieces)
      const { certChain = [] } = decode('istio.v1.auth.IstioCertificateResponse', reply.subarray(5))
      if (status === '0' && certChain.length === 2) resolve(tookMs)
      else reject(new Error(`status ${String(status)}, ${certChain.length} certificates`))
    })
    stream.end(frame)
  })
}

/** All of them, and how long the slowest of 99 % took; with what each cost the control plane. */
async function p99Of(
  mesh: TwinMesh,
  what: string,
  enrolled: () => Promise<readonly number[]>,
): Promise<number> {
  const cpuS = () => mesh.controlPlaneMetric('process_cpu_seconds_total')
  const beforeS = await cpuS()
  const sorted = (await enrolled()).toSorted((a, b) => a - b)
  const cpuMs = (((await cpuS()) - beforeS) * 1_000) / count
  const p99Ms = sorted[Math.ceil(count * 0.99) - 1] as number
  const median = Math.round(sorted[count / 2] as number)
  process.stderr.write(
    `1,000 enrolments ${what}: median ${median} ms, p99 ${Math.round(p99Ms)} ms, ${cpuMs.toFixed(2)} ms of CPU each\n`,
  )
  return p99Ms
}

test('none is lost, and the slowest of 99 % has its certificate within a second', async () => {
  const mesh = await TwinMesh.start()
  onTestFinished(mesh.stop)
  const context = createSecureContext({ ca: readFileSync(mesh.rootsFile) })
  const message = requestSerialize({
    csr: createCertificateRequest(makeKey(), 'spiffe://cluster.local/ns/shop/sa/left'),
  })
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  const frame = Buffer.concat([head, message])
  // Each of a workload of its own: one that asks too often is held off.
  const tokens = Array.from({ length: count }, (_, i) => mesh.tokenOf(`other-${i}`))
  const sessions: http2.ClientHttp2Session[] = []
  /** On a connection of its own. */
  const anew = async (i: number): Promise<number> => {
    const startedMs = performance.now()
    const session = (sessions[i] = await connect(mesh.grpcPort, context))
    await enrol(session, tokens[i] as string, frame)
    return performance.now() - startedMs
  }
  const spread = () =>
    Promise.all(
      tokens.map(async (_token, i) => {
        await setTimeout((i * spreadMs) / count)
        return anew(i)
      }),
    )
  expect(await p99Of(mesh, 'in 10 s', spread)).toBeLessThan(1_000)
  const standing = () => Promise.all(sessions.map((session, i) => enrol(session, tokens[i] as string, frame)))
  // Of three times the one in the middle: what happens once is the machine's, which does other things too.
  const p99sMs: number[] = []
  for (let round = 0; round < 3; round++) p99sMs.push(await p99Of(mesh, 'at once', standing))
  expect(p99sMs.toSorted((a, b) => a - b)[1]).toBeLessThan(1_000)
  for (const session of sessions) session.close()
  // The handshakes alone are more than a second of one core's work: how long it takes is told, and that none is lost.
  let retries = 0
  const untilEnrolled = async (i: number): Promise<number> => {
    const startedMs = performance.now()
    for (;;) {
      try {
        await anew(i)
        return performance.now() - startedMs
      } catch {
        retries++
        await setTimeout(Math.random() * 500)
      }
    }
  }
  const handshakes = () => Promise.all(tokens.map((_token, i) => untilEnrolled(i)))
  await p99Of(mesh, 'at once, each with a handshake', handshakes)
  process.stderr.write(`${retries} had to try again\n`)
  for (const session of sessions) session.close()
})
