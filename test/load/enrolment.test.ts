/**
 * 1,000 sidecars ask for certificates: each at its own moment of 10 s, on a connection of its own, as they do when they
 * start or another root issues; and then all of them in one moment, on the connections that they have.
 */
import http2 from 'node:http2'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { decode } from '../../api/xds/codec.ts'
import { certificateService } from '../../api/xds/services.ts'
import { createCertificateRequest } from '../../proxy/identity/certificate-request.ts'
import { makeKey } from '../../proxy/identity/own-certificate.ts'
import { TwinMesh } from '../support/twin-mesh.ts'

const count = 1_000
const spreadMs = 10_000
const { path: method, requestSerialize } = certificateService.CreateCertificate

function connect(port: number, ca: Buffer): Promise<http2.ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`https://localhost:${port}`, { ca })
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

function p99Of(what: string, tookMs: readonly number[]): number {
  const sorted = tookMs.toSorted((a, b) => a - b)
  const p99Ms = sorted[Math.ceil(count * 0.99) - 1] as number
  const median = Math.round(sorted[count / 2] as number)
  process.stderr.write(`1,000 enrolments ${what}: median ${median} ms, p99 ${Math.round(p99Ms)} ms\n`)
  return p99Ms
}

test('none is lost, and the slowest of 99 % has its certificate within a second', async () => {
  const mesh = await TwinMesh.start()
  onTestFinished(mesh.stop)
  const ca = readFileSync(path.join(mesh.state, 'root-cert.pem'))
  const message = requestSerialize({
    csr: createCertificateRequest(makeKey(), 'spiffe://cluster.local/ns/shop/sa/left'),
  })
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  const frame = Buffer.concat([head, message])
  const tokens = Array.from({ length: count }, (_, i) => mesh.tokenOf(i % 2 === 0 ? 'left' : `other-${i}`))
  const sessions: http2.ClientHttp2Session[] = []
  const spread = await Promise.all(
    tokens.map(async (token, i) => {
      await setTimeout((i * spreadMs) / count)
      const startedMs = performance.now()
      const session = (sessions[i] = await connect(mesh.grpcPort, ca))
      await enrol(session, token, frame)
      return performance.now() - startedMs
    }),
  )
  expect(p99Of('in 10 s', spread)).toBeLessThan(1_000)
  const atOnce = await Promise.all(sessions.map((session, i) => enrol(session, tokens[i] as string, frame)))
  expect(p99Of('at once', atOnce)).toBeLessThan(1_000)
  for (const session of sessions) session.close()
})
