/** People with a kubeconfig, each with the rights of their own: what the commands show them, and what they may not see. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { TappedExchange } from '../../api/live.ts'
import { accountKubeconfig } from '../support/account-kubeconfig.ts'
import { ApiServer } from '../support/api-server.ts'
import type { ClusterControlPlane } from '../support/cluster-control-plane.ts'
import { type HttpApplication, startHttpApplication } from '../support/http-application.ts'
import { HttpClient } from '../support/http-client.ts'
import { installWeft, planeAddress, setInstalledPod, startInstalledPlane } from '../support/installed-weft.ts'
import { removeFolder } from '../support/running-control-plane.ts'
import { type SidecarProcess, startEnrolledSidecar } from '../support/sidecar-process.ts'
import { type Run, weft, weftMain } from '../support/weft-command.ts'
import { testOwnServer } from './own-server.ts'

const patience = { timeout: 30_000, interval: 200 }
const url = 'http://catalog.shop:8080/items'
const people = ['nobody', 'viewer', 'tapper', 'member'] as const
type Person = (typeof people)[number] | 'admin'

const kubeconfigs = new Map<Person, string>()
const running = new Set<ChildProcess>()
let folder: string
let server: ApiServer
let plane: ClusterControlPlane
let application: HttpApplication
let sidecar: SidecarProcess
let client: HttpClient
let traffic: NodeJS.Timeout

/** The same user, whose token a program gives. */
function withPlugin(file: string): string {
  const config = JSON.parse(readFileSync(file, 'utf8')) as {
    users: { name: string; user: { token?: string; exec?: object } }[]
  }
  const [first] = config.users
  const credential = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: first?.user.token },
  }
  const exec = { apiVersion: credential.apiVersion, command: 'echo', args: [JSON.stringify(credential)] }
  writeFileSync(file, JSON.stringify({ ...config, users: [{ name: 'test', user: { exec } }] }))
  return file
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'weft-viewers-'))
  server = await ApiServer.start()
  plane = await startInstalledPlane(await installWeft(server, folder))
  await vi.waitFor(() => setInstalledPod(server, 'weft-control-plane', planeAddress, 'True'), patience)
  await vi.waitFor(
    () => server.kubectl(['apply', '-f', path.join(import.meta.dirname, 'viewers.yaml')]),
    patience,
  )
  for (const name of people) kubeconfigs.set(name, await accountKubeconfig(server, name, folder, 'shop'))
  withPlugin(kubeconfigs.get('viewer') as string)
  kubeconfigs.set('admin', server.kubeconfig)
  await setNode()
  application = await startHttpApplication('catalog', undefined, '10.244.0.2')
  for (const service of ['catalog', 'catalog-v2']) await server.apply(slice(service, application.port))
  const [caFile, tokenFile] = [path.join(folder, 'roots.pem'), path.join(folder, 'token')]
  const jsonpath = '-o=jsonpath={.data.root-cert\\.pem}'
  writeFileSync(
    caFile,
    await server.kubectl(['get', 'configmap', '-n', 'weft', 'weft-trust-bundle', jsonpath]),
  )
  const token = await server.kubectl(['create', 'token', 'web', '-n', 'shop', '--audience', 'weft'])
  writeFileSync(tokenFile, token.trim(), { mode: 0o600 })
  sidecar = await startEnrolledSidecar({ grpcPort: plane.grpcPort, caFile, tokenFile })
  client = new HttpClient(sidecar.port)
  traffic = setInterval(() => void client.send(url).catch(() => undefined), 50)
}, 300_000)

afterEach(({ task }) => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
  if (task.result?.state === 'fail') process.stderr.write(`${plane.log.slice(-4_000)}\n`)
})

afterAll(async () => {
  clearInterval(traffic)
  client?.close()
  await sidecar?.stop()
  await plane?.stop()
  await application?.stop()
  await server?.stop()
  removeFolder(folder)
})

function slice(service: string, port: number): string {
  return JSON.stringify({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: service, namespace: 'shop', labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port }],
    endpoints: [{ addresses: ['10.244.0.2'], conditions: { ready: true } }],
  })
}

/** The node that the pods are said to be on, and its kubelet; `web` runs on it. */
async function setNode(): Promise<void> {
  const addresses = [{ type: 'InternalIP', address: planeAddress }]
  const daemonEndpoints = { kubeletEndpoint: { Port: server.kubeletPort } }
  const patch = JSON.stringify({ status: { addresses, daemonEndpoints } })
  await server.kubectl(['patch', 'node', 'node-1', '--subresource=status', '-p', patch])
  const running = JSON.stringify({ status: { phase: 'Running' } })
  await server.kubectl(['patch', 'pod', 'web', '-n', 'shop', '--subresource=status', '-p', running])
}

function as(person: Person, ...args: readonly string[]): Promise<Run> {
  return weft([...args, '--kubeconfig', kubeconfigs.get(person) as string])
}

/** A command that goes on; its lines as they come. */
function follow(person: Person, ...args: readonly string[]) {
  const all = [weftMain, ...args, '--kubeconfig', kubeconfigs.get(person) as string]
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'inherit'] })
  running.add(child)
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { lines, interrupt: () => void child.kill('SIGINT'), ended }
}

describe('who may see the mesh', () => {
  test('sees it through the API server, signed in by a program', async () => {
    await expect
      .poll(async () => (await as('viewer', 'edges')).stdout, patience)
      .toMatch(/^shop +pod\/web +catalog\.shop:8080 +catalog\.shop:8080 +\d/m)
    const { stdout } = await as('viewer', 'split', 'catalog', '-n', 'shop')
    expect(stdout).toMatch(/catalog-v2 +10 /)
  })

  test('may not tap it for that', async () => {
    const { status, stderr } = await as('viewer', 'tap')
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^weft: TAP_REFUSED: .*weft\/weft-tap.*forbidden/),
    ])
  })

  test('who may not is told what is missing', async () => {
    const { status, stderr } = await as('nobody', 'stat')
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^weft: KUBERNETES_REFUSED: .*cannot list.*pods/),
    ])
  })
})

describe('a tap', () => {
  test('is for who may make the token for it', async () => {
    const tap = follow('tapper', 'tap', 'web', '-o', 'json', '--path', '/items')
    await expect.poll(() => tap.lines.length, patience).toBeGreaterThan(0)
    const seen = JSON.parse(tap.lines[0] as string) as TappedExchange
    expect(seen).toMatchObject({ source: { namespace: 'shop', name: 'web' }, path: '/items', status: 200 })
    tap.interrupt()
    expect(await tap.ended).toBe(0)
    expect(plane.log).toContain('"account":{"namespace":"weft","serviceAccount":"weft-tap"}')
  })

  test('is of the namespaces that RBAC gives the ServiceAccount, and no others', async () => {
    const own = follow('member', 'tap', '-n', 'shop', '--account', 'shop/shop-tap', '-o', 'json')
    await expect.poll(() => own.lines.length, patience).toBeGreaterThan(0)
    const all = await as('member', 'tap', '--account', 'shop/shop-tap')
    expect([all.status, all.stderr]).toEqual([
      1,
      expect.stringContaining(
        'TAP_REFUSED: system:serviceaccount:shop:shop-tap may not watch exchanges.tap.weft.dev in all namespaces',
      ),
    ])
  })

  test.each([
    ['none', undefined, 403],
    ['one that is none', 'a.b.c', 401],
    ['one for the API server', 'api', 401],
    ['one of a workload, for the control plane', 'weft', 401],
  ])('is refused to who brings a token to the pod itself: %s', async (_, kind, status) => {
    const minted = async (): Promise<string> => {
      const audience = kind === 'weft' ? ['--audience', 'weft'] : []
      return (await server.kubectl(['create', 'token', 'web', '-n', 'shop', ...audience])).trim()
    }
    const token = kind === 'a.b.c' ? kind : kind === undefined ? undefined : await minted()
    const headers = token === undefined ? {} : { 'weft-tap-token': token }
    const reply = await fetch(`http://${planeAddress}:9990/live/tap`, { headers })
    expect(reply.status).toBe(status)
    await reply.body?.cancel()
  })
})

describe('a sidecar, whose pages are on its loopback', () => {
  // A kubelet forwards it, and there is one beside our own API server only.
  testOwnServer('is asked over a forwarded port, by kubectl and so by whoever it can sign in', async () => {
    const config = await as('admin', 'config', 'shop/web', 'certificate')
    expect([config.status, config.stdout]).toEqual([
      0,
      expect.stringContaining('spiffe://cluster.local/ns/shop/sa/web'),
    ])
    const { stdout } = await as('admin', 'identity', '-n', 'shop', '-o', 'wide')
    expect(stdout).toMatch(/^shop\/web +spiffe:\/\/cluster\.local\/ns\/shop\/sa\/web +23h\S* +proven +2/m)
    const diagnosis = await as('admin', 'diagnose', 'shop/web', 'catalog:8080/items')
    expect([diagnosis.status, diagnosis.stdout]).toEqual([
      0,
      expect.stringMatching(/ok +endpoint +the client connects to/),
    ])
  })

  test('and is a line with ? where somebody may not', async () => {
    const { status, stderr } = await as('viewer', 'config', 'shop/web')
    expect([status, stderr]).toEqual([1, expect.stringContaining('SIDECAR_NOT_READY')])
    const { stdout } = await as('viewer', 'diagnose', 'shop/web', 'catalog:8080/items')
    expect(stdout).toMatch(/^ +\? +sidecar/m)
  })
})

/** The status of a page, by any Host. */
function statusBy(host: string, { port }: URL, page: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    http.get({ host: '127.0.0.1', port, path: page, headers: { host } }, (reply) => {
      resolve(reply.statusCode)
      reply.destroy()
    })
  })
}

/** The first piece of a page that does not end. */
async function firstPiece(address: string): Promise<string> {
  const gone = new AbortController()
  const reply = await fetch(address, { signal: gone.signal })
  const first = await (reply.body as ReadableStream<Uint8Array>).getReader().read()
  gone.abort()
  return Buffer.from(first.value ?? []).toString()
}

describe('the dashboard', () => {
  test('is served on this machine with the rights of who starts it, until Ctrl-C', async () => {
    const dashboard = follow('tapper', 'dashboard')
    await expect.poll(() => dashboard.lines[0], patience).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/dashboard\/$/)
    const address = new URL(dashboard.lines[0] as string)
    const page = await fetch(address)
    const text = await page.text()
    expect([page.status, page.headers.get('content-security-policy')]).toEqual([
      200,
      expect.stringContaining("default-src 'self'"),
    ])
    const script = /src="([^"]+\.js)"/.exec(text)?.[1] ?? ''
    const loaded = await fetch(new URL(script, address))
    expect([loaded.status, loaded.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('javascript'),
    ])
    expect(await firstPiece(new URL('/live/stream', address).href)).toContain('"pod":"web"')
    expect(await firstPiece(new URL('/live/tap?direction=outbound', address).href)).toContain('/items')
    expect((await (await fetch(new URL('/services', address))).text()).length).toBeGreaterThan(100)
    for (const other of ['/metrics', '/live/mesh', '/dashboard/../metrics', '/dashboard/%2e%2e/metrics'])
      expect(await statusBy(address.host, address, other), other).toBe(404)
    expect(await statusBy('rebound.example', address, '/services')).toBe(403)
    dashboard.interrupt()
    expect(await dashboard.ended).toBe(0)
  })

  test('refuses a tap to who may only see', async () => {
    const dashboard = follow('viewer', 'dashboard')
    await expect.poll(() => dashboard.lines[0], patience).toBeDefined()
    const reply = await fetch(new URL('/live/tap?', dashboard.lines[0]))
    expect([reply.status, await reply.text()]).toEqual([403, expect.stringContaining('TAP_REFUSED')])
  })
})

describe('a split', () => {
  test('is set in the cluster by who may write it, and watched by who may see', async () => {
    const watching = follow('viewer', 'split', 'watch', 'catalog', '-n', 'shop')
    await expect.poll(() => watching.lines.join('\n'), patience).toMatch(/catalog-v2 +10 /)
    const set = await as('admin', 'split', 'set', 'catalog', 'catalog=60', 'catalog-v2=40', '-n', 'shop')
    expect([set.status, set.stdout]).toEqual([0, 'TrafficSplit shop/catalog is changed\n'])
    await expect.poll(() => watching.lines.join('\n'), patience).toMatch(/catalog-v2 +40 /)
    watching.interrupt()
    expect(await watching.ended).toBe(0)
  })

  test.each([
    ['viewer', ['catalog', 'catalog=1'], 'KUBERNETES_REFUSED'],
    ['admin', ['nothing', 'catalog=1'], 'RESOURCE_UNKNOWN: there is no TrafficSplit shop/nothing'],
    ['admin', ['catalog', 'other=1'], 'RESOURCE_UNKNOWN: TrafficSplit shop/catalog has no backend other'],
  ] as const)('is not set by %s: %j', async (person, args, said) => {
    const { status, stderr } = await as(person, 'split', 'set', ...args, '-n', 'shop')
    expect([status, stderr]).toEqual([1, expect.stringContaining(said)])
  })
})
