/** The commands that show a mesh, as a person or a program runs them, on a real mesh. */
import { stripVTControlCharacters } from 'node:util'
import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { version } from '../../core/version.ts'
import { type BrokenMesh, route, startBrokenMesh } from '../support/broken-mesh.ts'
import { HttpClient } from '../support/http-client.ts'
import { type Run, weft as runWeft, weftMain } from '../support/weft-command.ts'

let mesh: BrokenMesh

function weft(...args: readonly string[]): Promise<Run> {
  return runWeft([...args, '--control-plane', mesh.admin])
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
    {
      apiVersion: 'weft.dev/v1alpha1',
      kind: 'AccessPolicy',
      metadata: { name: 'open', namespace: 'shop' },
      spec: {
        targetRefs: [
          { kind: 'ServiceAccount', name: 'app' },
          { kind: 'ServiceAccount', name: 'nobody' },
        ],
        rules: [{ action: 'allow' }],
      },
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
  expect(stdout).toMatch(/^shop +HTTPRoute +app +shop\/app +yes +yes$/m)
  expect((await weft('routes', '-n', 'nowhere')).stdout).toBe('There are no routes.\n')
})

test('policy tells where it counts, and where a setting comes from', async () => {
  const { stdout } = await weft('policy')
  expect(stdout).toMatch(/^shop +slow +app +8080 +timeouts +in force$/m)
  expect(stdout).toMatch(/^shop +app +8080 +timeouts +TrafficPolicy shop\/slow$/m)
  expect(stdout).toMatch(
    /^shop +AccessPolicy open +ServiceAccount app, ServiceAccount nobody +1 +- +1 allow +deny +TargetNotFound$/m,
  )
})

test('policy of a pod tells who may call it, port by port', async () => {
  const { port } = mesh.application
  const { stdout } = await weft('policy', 'shop/app')
  // A pod that only one namespace has is found without it, as by the other commands.
  expect((await weft('policy', 'app')).stdout).toBe(stdout)
  expect(stdout).toMatch(
    new RegExp(`^${port} +allow +everybody +everything +accesspolicy/shop/open/rule-0$`, 'm'),
  )
  expect(stdout).toMatch(/^others +deny +everybody +all else +accesspolicy\/shop\/open\/default$/m)
  const unknown = await weft('policy', 'ghost', '-n', 'shop')
  expect([unknown.status, unknown.stderr]).toEqual([1, expect.stringContaining('RESOURCE_UNKNOWN')])
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
  const set = await runWeft(['split', 'set', 'canary', 'app=5', '-n', 'shop', '--config', folder])
  expect([set.status, set.stdout]).toEqual([0, expect.stringContaining(' is changed\n')])
  await expect
    .poll(async () => (await weft('split', '-o', 'json')).stdout, { timeout: 10_000 })
    .toContain('"weightMilli": 5000')
})

const listings = ['stat', 'edges', 'routes', 'policy', 'identity', 'split', 'config shop/web', 'version']

test.each(listings)(
  '%s: the same for programs as JSON and YAML, and no colours without a terminal',
  async (line) => {
    const words = line.split(' ')
    const [json, yaml, wide] = await Promise.all(
      ['json', 'yaml', 'wide'].map((form) => weft(...words, '-o', form)),
    )
    expect([json?.status, yaml?.status, wide?.status]).toEqual([0, 0, 0])
    // Figures move between two runs; what they are called does not.
    expect(shapeOf(parse(yaml?.stdout ?? ''))).toEqual(shapeOf(JSON.parse(json?.stdout ?? '')))
    expect(wide?.stdout).not.toContain('\u001b')
  },
)

function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf)
  if (typeof value !== 'object' || value === null) return '-'
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]))
}

/** A pseudo-terminal of that size, in which the command runs; what is written to it is typed. */
function inTerminal(columns: number, rows: number, ...args: readonly string[]) {
  const command = `stty cols ${columns} rows ${rows}; exec '${process.execPath}' '${weftMain}' ${args.join(' ')}`
  const child: ChildProcess = spawn('script', ['-qefc', command, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh' },
  })
  let shown = ''
  child.stdout?.on('data', (piece: Buffer) => (shown += piece.toString()))
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { shown: () => shown, type: (keys: string) => void child.stdin?.write(keys), ended }
}

test.skipIf(process.platform !== 'linux')(
  'top paints pictures that fit the terminal, and leaves it as it was when Ctrl-C ends it',
  async () => {
    const client = new HttpClient(mesh.web.port)
    const traffic = setInterval(() => void client.send('http://app.shop:8080/a'), 50)
    const top = inTerminal(60, 8, 'top', '--control-plane', mesh.admin)
    try {
      await expect.poll(top.shown, { timeout: 15_000 }).toMatch(/pod\/web/)
      top.type('\u0003')
      expect(await top.ended).toBe(0)
    } finally {
      clearInterval(traffic)
      client.close()
    }
    const [, ...pictures] = top.shown().split('\u001b[H')
    const lines = stripVTControlCharacters(pictures.at(-1) as string)
      .replace('^C', '')
      .split(/\r?\n/)
    expect(lines[0]).toMatch(/^2 sidecars, 1 edges/)
    expect(lines[2]).toMatch(/^SOURCE +SERVICE/)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60)
    expect(lines.length).toBeLessThanOrEqual(8)
    expect(top.shown()).toContain('\u001b[?25l')
    expect(top.shown().trimEnd().endsWith('\u001b[?25h')).toBe(true)
  },
)
