/** Leaves, issuers and roots are replaced under 1,000 requests a second in both directions, and nobody notices. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { X509Certificate } from 'node:crypto'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { versionOfPem } from '../../api/trust-bundle.ts'
import { rotate } from '../../cli/identity-rotate.ts'
import { directAccess } from '../../cli/reach/direct-access.ts'
import { systemClock } from '../../core/clock.ts'
import { GrpcCertificateIssuer } from '../../proxy/identity/certificate-issuer.ts'
import { createCertificateRequest } from '../../proxy/identity/certificate-request.ts'
import { makeKey } from '../../proxy/identity/own-certificate.ts'
import { TestRoot } from '../../proxy/identity/test-pki.ts'
import { issuerFiles, issuerTexts, replaceIssuer } from '../support/own-issuer.ts'
import { startSteadyLoad, warmUp } from '../support/steady-load.ts'
import { TwinMesh } from '../support/twin-mesh.ts'

/** In either direction. */
const perSecond = 1_000
const tunnelsPerSecond = 5

type Own = { readonly key: string; readonly cert: string }

/** A certificate of the issuer in force, as a workload of the mesh gets it. */
async function enrol({ grpcPort, rootsFile, folder }: TwinMesh): Promise<Own> {
  const key = makeKey()
  const issuer = new GrpcCertificateIssuer({
    controlPlane: { host: '127.0.0.1', port: grpcPort },
    roots: () => readFileSync(rootsFile),
    tokenFile: path.join(folder, 'left.token'),
  })
  const chain = await issuer.issue(createCertificateRequest(key, 'spiffe://cluster.local/ns/shop/sa/left'))
  return { key: key.export({ format: 'pem', type: 'pkcs8' }) as string, cert: chain.slice(0, -1).join('\n') }
}

type Answer = {
  readonly text: string
  readonly resumed: boolean
  readonly session: Buffer | undefined
  /** Who signed the certificate that we were shown. */
  readonly signedBy: string | undefined
}

/** One request over mesh TLS with a certificate of ours, at an inbound side; empty text: cut off. */
function ask(port: number, own?: Own, session?: Buffer): Promise<Answer> {
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
    let signedBy: string | undefined
    tls.on('secureConnect', () => {
      resumed = tls.isSessionReused()
      signedBy = tls.getPeerX509Certificate()?.issuer
      tls.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    })
    tls.on('close', () => resolve({ text, resumed, session: ticket, signedBy }))
  })
}

const ok = expect.stringMatching(/^HTTP\/1\.1 200 /)

/** A workload with a certificate of now, and the session that it was given for it. */
async function oldClient(
  mesh: TwinMesh,
): Promise<{ readonly own: Own; readonly session: Buffer | undefined }> {
  const own = await enrol(mesh)
  const { text, session } = await ask(mesh.right.inbound, own)
  expect(text).toEqual(ok)
  const resumed = await ask(mesh.right.inbound, own, session)
  expect(resumed).toMatchObject({ resumed: true, text: ok })
  return { own, session: resumed.session }
}

/** By its chain, and by the session that it had while it was trusted. */
async function expectRefused(
  { right }: TwinMesh,
  { own, session }: Awaited<ReturnType<typeof oldClient>>,
): Promise<void> {
  const untrusted = () =>
    right.metric('tls_handshakes_total', 'direction="inbound",outcome="PEER_CERTIFICATE_UNTRUSTED"')
  const before = await untrusted()
  expect((await ask(right.inbound, own)).text).toBe('')
  expect(await ask(right.inbound, own, session)).toMatchObject({ resumed: false, text: '' })
  expect(await untrusted()).toBe(before + 2)
}

/** Nothing fails in either direction while `change` goes on. */
async function underLoad({ left, right }: TwinMesh, change: () => Promise<void>): Promise<void> {
  await warmUp(left.outbound, 'right.shop:8080', 'right')
  await warmUp(right.outbound, 'left.shop:8080', 'left')
  const load = { perSecond, tunnelsPerSecond }
  const loads = [
    startSteadyLoad({ ...load, outbound: left.outbound, to: 'right.shop:8080', expected: 'right' }),
    startSteadyLoad({ ...load, outbound: right.outbound, to: 'left.shop:8080', expected: 'left' }),
  ]
  let outcomes
  try {
    await change()
  } finally {
    outcomes = await Promise.all(loads.map((each) => each.stop()))
  }
  for (const { failures, requests, tunnels, elapsedMs } of outcomes) {
    expect(failures).toEqual([])
    const rate = requests / (elapsedMs / 1000)
    process.stderr.write(`${requests} requests (${Math.round(rate)}/s) and ${tunnels} tunnels, none failed\n`)
    // A machine that is busy otherwise gets fewer through, but never so few that nothing was shown.
    expect(rate).toBeGreaterThan(perSecond / 2)
    expect(tunnels).toBeGreaterThan((elapsedMs / 2_000) * tunnelsPerSecond)
  }
}

let first: TestRoot
/** With an issuer of the user's in files; its leaves are so short that they are renewed while it waits for its turn. */
let owned: TwinMesh

beforeAll(async () => {
  first = await TestRoot.make('ours')
  owned = await TwinMesh.start({
    files: await issuerTexts(await first.below(), first),
    controlPlane: (folder) => {
      const { key, certificate, bundle } = issuerFiles(folder)
      return [
        `--issuer-key=${key}`,
        `--issuer-certificate=${certificate}`,
        `--trust-bundle=${bundle}`,
        '--leaf-lifetime=30s',
      ]
    },
    controlPlaneCa: (folder) => issuerFiles(folder).bundle,
  })
})
afterAll(() => owned?.stop())

test('a new root under load: no request fails, and the old one is refused at the end', async () => {
  const mesh = await TwinMesh.start()
  onTestFinished(mesh.stop)
  const old = await oldClient(mesh)
  const lines: string[] = []
  await underLoad(mesh, async () => {
    const access = directAccess(`127.0.0.1:${mesh.adminPort}`)
    const options = { step: false, timeoutMs: 40_000, leaveBehind: false, clock: systemClock }
    await rotate(access, { ...options, write: (line) => void lines.push(line) })
  })
  expect(lines.filter((line) => !line.startsWith(' ')).map((line) => line.split(':')[0])).toEqual([
    'steady',
    'new-trusted',
    'new-issues',
    'steady',
  ])
  await expectRefused(mesh, old)
  expect(readFileSync(path.join(mesh.state, 'root-cert.pem'), 'utf8').match(/BEGIN/g)).toHaveLength(1)
})

/** Until both sidecars show certificates of this issuer. */
async function untilSignedBy(mesh: TwinMesh, issuer: TestRoot): Promise<void> {
  const { subject } = new X509Certificate(issuer.pem)
  const shown = () =>
    Promise.all([mesh.left, mesh.right].map(async ({ inbound }) => (await ask(inbound)).signedBy))
  await expect.poll(shown, { timeout: 60_000, interval: 250 }).toEqual([subject, subject])
}

/** Until nothing but this root is trusted in the mesh. */
async function untilTrusted({ left, right }: TwinMesh, root: TestRoot): Promise<void> {
  const label = `version="${versionOfPem(root.pem)}"`
  const held = () =>
    Promise.all([left, right].map((side) => side.metric('identity_trust_bundle_info', label)))
  await expect.poll(held, { timeout: 20_000, interval: 250 }).toEqual([1, 1])
}

test("the user's own issuer, replaced in its files under load: below the same root, and then with the root", async () => {
  const old = await oldClient(owned)
  const [below, next] = [await first.below(), await TestRoot.make('our next one')]
  const last = await next.below()
  await underLoad(owned, async () => {
    await replaceIssuer(owned.folder, below, first)
    // By and by, as leaves come to half of their life: until then both issuers are in use.
    await untilSignedBy(owned, below)
    await replaceIssuer(owned.folder, last, next)
    await untilSignedBy(owned, last)
    await untilTrusted(owned, next)
  })
  await expectRefused(owned, old)
}, 120_000)
