/** The root of a mesh is replaced under 1,000 requests a second in both directions, and nobody notices. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { rotate } from '../../cli/identity-rotate.ts'
import { directAccess } from '../../cli/reach/direct-access.ts'
import { systemClock } from '../../core/clock.ts'
import { GrpcCertificateIssuer } from '../../proxy/identity/certificate-issuer.ts'
import { createCertificateRequest } from '../../proxy/identity/certificate-request.ts'
import { makeKey } from '../../proxy/identity/own-certificate.ts'
import { startSteadyLoad, warmUp } from '../support/steady-load.ts'
import { TwinMesh } from '../support/twin-mesh.ts'

/** In either direction. */
const perSecond = 1_000
const tunnelsPerSecond = 5

/** A certificate of the root in force, as a workload of the mesh gets it. */
async function enrol({
  grpcPort,
  state,
  folder,
}: TwinMesh): Promise<{ readonly key: string; readonly cert: string }> {
  const key = makeKey()
  const issuer = new GrpcCertificateIssuer({
    controlPlane: { host: '127.0.0.1', port: grpcPort },
    roots: () => readFileSync(path.join(state, 'root-cert.pem')),
    tokenFile: path.join(folder, 'left.token'),
  })
  const chain = await issuer.issue(createCertificateRequest(key, 'spiffe://cluster.local/ns/shop/sa/left'))
  return { key: key.export({ format: 'pem', type: 'pkcs8' }) as string, cert: chain[0] as string }
}

type Answer = { readonly text: string; readonly resumed: boolean; readonly session: Buffer | undefined }

/** One request over mesh TLS with a certificate of ours, at an inbound side; empty text: cut off. */
function ask(
  port: number,
  own: { readonly key: string; readonly cert: string },
  session?: Buffer,
): Promise<Answer> {
  return new Promise((resolve) => {
    let text = ''
    let ticket: Buffer | undefined
    const tls: TLSSocket = connect({
      host: '127.0.0.1',
      port,
      ...own,
      ALPNProtocols: ['weft-h1'],
      rejectUnauthorized: false,
      ...(session === undefined ? {} : { session }),
    })
    tls.on('session', (kept) => (ticket = kept))
    tls.on('error', () => tls.destroy())
    tls.on('data', (piece: Buffer) => (text += piece.toString()))
    let resumed = false
    tls.on('secureConnect', () => {
      resumed = tls.isSessionReused()
      tls.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    })
    tls.on('close', () => resolve({ text, resumed, session: ticket }))
  })
}

test('a new root under load: no request fails, and the old one is refused at the end', async () => {
  const mesh = await TwinMesh.start()
  onTestFinished(mesh.stop)
  const old = await enrol(mesh)
  const before = await ask(mesh.right.inbound, old)
  expect(before.text).toMatch(/^HTTP\/1\.1 200 /)
  const resumed = await ask(mesh.right.inbound, old, before.session)
  expect(resumed).toMatchObject({ resumed: true, text: expect.stringMatching(/^HTTP\/1\.1 200 /) })

  await warmUp(mesh.left.outbound, 'right.shop:8080', 'right')
  await warmUp(mesh.right.outbound, 'left.shop:8080', 'left')
  const load = { perSecond, tunnelsPerSecond }
  const right = startSteadyLoad({
    ...load,
    outbound: mesh.left.outbound,
    to: 'right.shop:8080',
    expected: 'right',
  })
  const left = startSteadyLoad({
    ...load,
    outbound: mesh.right.outbound,
    to: 'left.shop:8080',
    expected: 'left',
  })
  const lines: string[] = []
  const access = directAccess(`127.0.0.1:${mesh.adminPort}`)
  const options = { step: false, timeoutMs: 40_000, leaveBehind: false, clock: systemClock }
  await rotate(access, {
    ...options,
    write: (line) => void lines.push(line),
  })
  const outcomes = [await right.stop(), await left.stop()]

  for (const { failures, requests, tunnels, elapsedMs } of outcomes) {
    expect(failures).toEqual([])
    const rate = requests / (elapsedMs / 1000)
    process.stderr.write(`${requests} requests (${Math.round(rate)}/s) and ${tunnels} tunnels, none failed\n`)
    // A machine that is busy otherwise gets fewer through, but never so few that nothing was shown.
    expect(rate).toBeGreaterThan(perSecond / 2)
    expect(tunnels).toBeGreaterThan((elapsedMs / 2_000) * tunnelsPerSecond)
  }
  expect(lines.filter((line) => !line.startsWith(' ')).map((line) => line.split(':')[0])).toEqual([
    'steady',
    'new-trusted',
    'new-issues',
    'steady',
  ])
  // By its chain, and by the session that it had while it was trusted.
  expect((await ask(mesh.right.inbound, old)).text).toBe('')
  const again = await ask(mesh.right.inbound, old, resumed.session)
  expect(again).toMatchObject({ resumed: false, text: '' })
  const untrusted = await mesh.right.metric(
    'tls_handshakes_total',
    'direction="inbound",outcome="PEER_CERTIFICATE_UNTRUSTED"',
  )
  expect(untrusted).toBe(2)
  expect(readFileSync(path.join(mesh.state, 'root-cert.pem'), 'utf8').match(/BEGIN/g)).toHaveLength(1)
})
