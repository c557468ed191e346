/** The commands that show a mesh, as a person or a program runs them, on a real mesh. */
import { execFile } from 'node:child_process'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { version } from '../../core/version.ts'
import { type BrokenMesh, route, startBrokenMesh } from '../support/broken-mesh.ts'
import { HttpClient } from '../support/http-client.ts'

const main = path.join(import.meta.dirname, '../../cli/main.ts')

let mesh: BrokenMesh

type Run = { readonly status: number; readonly stdout: string; readonly stderr: string }

function weft(...args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [main, ...args, '--control-plane', mesh.admin],
      { timeout: 20_000 },
      (error, stdout, stderr) => resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

async function json<T>(...args: readonly string[]): Promise<T> {
  return JSON.parse((await weft(...args, '-o', 'json')).stdout) as T
}

beforeAll(async () => {
  mesh = await startBrokenMesh()
  const spec = { targetRefs: [{ kind: 'Service', name: 'app' }], timeouts: { request: '3s' } }
  mesh.plant(
    route([
      { matches: [{ path: { type: 'Exact', value: '/a' } }], backendRefs: [{ name: 'app', port: 8080 }] },
    ]),
    {
      apiVersion: 'split.smi-spec.io/v1alpha2',
      kind: 'TrafficSplit',
      metadata: { name: 'canary', namespace: 'shop' },
      spec: { service: 'app', backends: [{ service: 'app', weight: 1 }] },
    },
    {
      apiVersion: 'weft.dev/v1alpha1',
      kind: 'TrafficPolicy',
      metadata: { name: 'slow', namespace: 'shop' },
      spec,
    },
  )
  const client = new HttpClient(mesh.web.port)
  const deadline = performance.now() + 10_000
  // Names are asked for as they are used; the route is there once the path that it does not match is none.
  while ((await client.send('http://app.shop:8080/b')).status !== 404)
    if (performance.now() > deadline) throw new Error('the route does not arrive')
  await client.send('http://app.shop:8080/a')
  client.close()
})
afterAll(() => mesh?.stop())

test('config shows what one sidecar holds, section by section', async () => {
  const { status, stdout } = await weft('config', 'shop/web')
  expect(status).toBe(0)
  for (const title of ['listeners', 'routes', 'clusters', 'endpoints', 'certificate'])
    expect(stdout).toMatch(new RegExp(`^${title}$`, 'm'))
  expect(stdout).toMatch(/^app\.shop:8080 +httproute\/shop\/app\/0 +\/a +app\.shop:8080 1 +3000 ms$/m)
  expect(stdout).toMatch(
    new RegExp(`^app\\.shop:8080 +127\\.0\\.0\\.1:${mesh.inboundPort} +in-use +mTLS`, 'm'),
  )
  expect(stdout).toContain('spiffe://cluster.local/ns/shop/sa/web')
})

test('config of the other side shows where it listens', async () => {
  const { stdout } = await weft('config', 'app', 'listeners', '-n', 'shop')
  expect(stdout).toMatch(
    new RegExp(
      `^inbound +127\\.0\\.0\\.1:${mesh.inboundPort} +application ${mesh.application.port} +detect$`,
      'm',
    ),
  )
})

test('config of a pod that has no sidecar, and of a section that there is not, says so and fails', async () => {
  const unknown = await weft('config', 'shop/nobody')
  expect([unknown.status, unknown.stderr]).toEqual([1, expect.stringContaining('RESOURCE_UNKNOWN')])
  const section = await weft('config', 'shop/web', 'everything')
  expect([section.status, section.stderr]).toEqual([2, expect.stringContaining('none of listeners')])
})

test('routes tells whether each is accepted', async () => {
  const { stdout } = await weft('routes', '-n', 'shop')
  expect(stdout).toMatch(/^shop +app +shop\/app +yes +yes$/m)
  expect((await weft('routes', '-n', 'nowhere')).stdout).toBe('There are no HTTPRoutes.\n')
})

test('policy tells where it counts, and where a setting comes from', async () => {
  const { stdout } = await weft('policy')
  expect(stdout).toMatch(/^shop +slow +app +8080 +timeouts +in force$/m)
  expect(stdout).toMatch(/^shop +app +8080 +timeouts +TrafficPolicy shop\/slow$/m)
})

test('identity tells who is who, until when, and the roots', async () => {
  const { stdout } = await weft('identity')
  expect(stdout).toMatch(/^shop\/app +spiffe:\/\/cluster\.local\/ns\/shop\/sa\/app +23h\S* +proven$/m)
  expect(stdout).toMatch(/^ROOT +ISSUER/m)
  const { roots, workloads } = await json<{ roots: object[]; workloads: object[] }>('identity')
  expect([roots.length, workloads.length]).toEqual([1, 2])
})

test('version tells all versions, and fails when they differ', async () => {
  const { status, stdout } = await weft('version')
  expect([status, stdout]).toEqual([
    0,
    `client         ${version}\ncontrol plane  ${version}\nsidecars       ${version} (2)\n`,
  ])
  expect((await weft('version', '--client')).stdout).toBe(`${version}\n`)
})

test('split show and split alone are the same, and -o yaml is for programs', async () => {
  const alone = await weft('split', 'canary', '-n', 'shop')
  const show = await weft('split', 'show', 'canary', '-n', 'shop')
  expect(alone.stdout.split('\n')[1]).toMatch(/^shop +canary +app +8080 +app +1 /)
  expect(show.stdout.split('\n').slice(0, 2)).toEqual(alone.stdout.split('\n').slice(0, 2))
  expect((await weft('split', '-o', 'yaml')).stdout).toContain('name: canary')
})

test('split set edits the folder that the control plane reads, and the mesh follows', async () => {
  const folder = path.join(mesh.plane.folder, 'config')
  const { stdout } = await weft('split', 'show', '-o', 'json')
  expect(stdout).toContain('"weightMilli": 1000')
  await new Promise<void>((resolve, reject) => {
    const args = [main, 'split', 'set', 'canary', 'app=5', '-n', 'shop', '--config', folder]
    execFile(process.execPath, args, (error) => (error === null ? resolve() : reject(error)))
  })
  await expect
    .poll(async () => (await weft('split', '-o', 'json')).stdout, { timeout: 10_000 })
    .toContain('"weightMilli": 5000')
})
