/** Whom a sidecar lets in that begins anew: as it is said now, else as it was said last, and nobody where nothing was said. */
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePorts } from '../../cli/demo/ports.ts'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { type HttpApplication, startHttpApplication } from '../support/http-application.ts'
import { HttpClient } from '../support/http-client.ts'
import {
  removeFolder,
  startTestControlPlane,
  type TestControlPlane,
} from '../support/running-control-plane.ts'
import { type SidecarProcess, startEnrolledSidecar, startSidecar } from '../support/sidecar-process.ts'

let app: HttpApplication
let plane: TestControlPlane
let port = 0
const started: SidecarProcess[] = []

beforeAll(async () => {
  ;[port = 0] = await freePorts(1)
  app = await startHttpApplication('web', (_, response) => response.end('ok'))
  plane = await startTestControlPlane({
    'pod.yaml': `apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
  annotations: { config.weft.dev/inbound: '127.0.0.1:${port}=${app.port}' }
spec: { serviceAccountName: web }
`,
  })
})

afterAll(async () => {
  for (const sidecar of started) await sidecar.stop()
  await plane.stop()
  await app.stop()
  removeFolder(plane.folder)
})

/** What a client in clear is answered; 0: nobody listens, or it is cut off. */
async function inClear(at = port): Promise<number> {
  const client = new HttpClient(at)
  const { status } = await client.send('http://web.shop/')
  client.close()
  return status
}

async function firstAnswer(): Promise<number> {
  for (;;) {
    const status = await inClear()
    if (status !== 0) return status
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Resolves once the control plane has read it. */
async function say(mode: 'strict' | 'permissive'): Promise<void> {
  const spec = { targetRefs: [{ kind: 'Namespace', name: 'shop' }], mtls: { mode } }
  const metadata = { name: 'shop', namespace: 'shop' }
  plane.write(
    'policy.yaml',
    JSON.stringify({ apiVersion: 'weft.dev/v1alpha1', kind: 'AccessPolicy', metadata, spec }),
  )
  const read = async () => (await fetchText(plane.running.adminPort, '/policies')).text
  await expect.poll(read, { interval: 10 }).toContain(`"mtls": "${mode}"`)
}

async function start(until: '/ready' | '/live'): Promise<SidecarProcess> {
  const settings = [`--state=${path.join(plane.folder, 'kept')}`]
  const sidecar = await startSidecar(plane, { settings, until })
  started.push(sidecar)
  return sidecar
}

test('a policy from while it was away counts for the first who calls, and one that it had counts without a control plane', async () => {
  const first = await start('/ready')
  expect(await inClear()).toBe(200)
  await first.stop()
  await say('strict')
  await start('/live')
  expect(await firstAnswer()).toBe(403)
  await say('permissive')
  await expect.poll(inClear, { interval: 5 }).toBe(200)
  await say('strict')
  await expect.poll(() => inClear(), { interval: 1 }).toBe(403)
  // As a crash does it, the moment that it counts.
  await started.at(-1)?.stop()
  await plane.stop()
  await start('/live')
  expect(await firstAnswer()).toBe(403)
})

test('a sidecar that was never told anything lets nobody in, redirected or not', async () => {
  const [nowhere = 0, inbound = 0] = await freePorts(2)
  const { folder } = plane
  const sidecar = await startEnrolledSidecar(
    {
      grpcPort: nowhere,
      caFile: path.join(folder, 'state', 'root-cert.pem'),
      tokenFile: path.join(folder, 'token-shop-web'),
    },
    { settings: ['--mode=redirect', `--inbound-address=127.0.0.1:${inbound}`], until: '/live' },
  )
  started.push(sidecar)
  await expect.poll(sidecar.log).toContain('CONTROL_PLANE_UNREACHABLE')
  expect(await inClear(inbound)).toBe(0)
  expect((await fetchText(sidecar.adminPort, '/ready')).status).toBe(503)
})
