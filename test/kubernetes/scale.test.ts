/** 1,000 Services with 10,000 endpoints in a real API server: memory, start, and what one change costs and takes. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import { readKubeconfig } from '../../core/kubernetes/kubeconfig.ts'
import { systemClock } from '../../core/clock.ts'
import { ApiServer } from '../support/api-server.ts'
import { ClusterControlPlane, controlPlaneAccount } from '../support/cluster-control-plane.ts'
import { HttpClient } from '../support/http-client.ts'
import { removeFolder } from '../support/running-control-plane.ts'
import { type SidecarProcess, startEnrolledSidecar } from '../support/sidecar-process.ts'
import { testOwnServer } from './own-server.ts'

const endpointsOfService = 10
const writers = 16
/** As the process's own clock ticks. */
const tickMs = 10

let folder: string
let server: ApiServer
let client: KubernetesClient
let plane: ClusterControlPlane
let sidecar: SidecarProcess
let kubeconfig: string
let services = 0

const slices = '/apis/discovery.k8s.io/v1/namespaces/scale/endpointslices'

async function inParallel(count: number, act: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const writer = async (): Promise<void> => {
    while (next < count) await act(next++)
  }
  await Promise.all(Array.from({ length: writers }, writer))
}

async function write(method: 'POST' | 'PATCH', at: string, body: object): Promise<void> {
  const { status, body: answer } = await client.request(method, at, body)
  if (status !== 200 && status !== 201) throw new Error(`${at}: ${status} ${JSON.stringify(answer)}`)
}

/** Endpoint `last` of service `i` is where the test says. */
function endpoints(i: number, last: string): object[] {
  const first = Array.from({ length: endpointsOfService - 1 }, (_, n) => `10.${i >> 8}.${i & 255}.${n + 1}`)
  return [...first, last].map((address) => ({ addresses: [address], conditions: { ready: true } }))
}

async function grow(to: number): Promise<void> {
  const from = services
  await inParallel(to - from, async (n) => {
    const i = from + n
    await write('POST', '/api/v1/namespaces/scale/services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: `s-${i}` },
      spec: { ports: [{ name: 'http', port: 8080 }] },
    })
    await write('POST', slices, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `s-${i}`, labels: { 'kubernetes.io/service-name': `s-${i}` } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080 }],
      endpoints: endpoints(i, '10.99.0.1'),
    })
  })
  services = to
}

async function startPlane(): Promise<number> {
  plane = await ClusterControlPlane.start(kubeconfig)
  return plane.untilReady()
}

function cpuMs(): number {
  const fields = readFileSync(`/proc/${plane.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * tickMs
}

/** CPU that one change of an endpoint costs, of `count` changes all over the mesh. */
async function cpuOfChange(count: number, round: number): Promise<number> {
  const before = cpuMs()
  await inParallel(count, (n) => {
    const i = n % services
    return write('PATCH', `${slices}/s-${i}`, { endpoints: endpoints(i, `10.98.${round}.${1 + (n % 250)}`) })
  })
  // The last of them has arrived when the one that is watched for has.
  await moveWatched(`10.97.${round}.1`)
  return (cpuMs() - before) / count
}

/** From the API server's having taken a change to the sidecar's using it. */
async function moveWatched(address: string): Promise<number> {
  await write('PATCH', `${slices}/s-0`, { endpoints: endpoints(0, address) })
  const begunMs = performance.now()
  const deadline = begunMs + 10_000
  while (!(await fetchText(sidecar.adminPort, '/clusters')).text.includes(`${address}:8080`)) {
    if (performance.now() > deadline) throw new Error(`${address} did not reach the sidecar`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return performance.now() - begunMs
}

async function startSidecar(): Promise<void> {
  const token = await server.kubectl(['create', 'token', 'web', '-n', 'scale', '--audience', 'weft'])
  const secret = await server.kubectl(['get', 'secret', '-n', 'weft', 'weft-root', '-o', 'json'])
  const { data } = JSON.parse(secret) as { readonly data: Readonly<Record<string, string>> }
  const [caFile, tokenFile] = [path.join(folder, 'roots.pem'), path.join(folder, 'token')]
  writeFileSync(caFile, Buffer.from(data['tls.crt'] as string, 'base64'))
  writeFileSync(tokenFile, token.trim(), { mode: 0o600 })
  sidecar = await startEnrolledSidecar(
    { grpcPort: plane.grpcPort, caFile, tokenFile },
    { namespace: 'scale', settings: ['--log-level=silent'] },
  )
  const application = new HttpClient(sidecar.port)
  // Nobody is there; what counts is that it is asked for.
  await application.send('http://s-0.scale:8080/')
  application.close()
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'weft-scale-'))
  server = await ApiServer.start()
  client = new KubernetesClient(readKubeconfig([server.kubeconfig]), systemClock)
  await server.kubectl(['create', 'namespace', 'scale'])
  await server.kubectl(['create', 'serviceaccount', 'web', '-n', 'scale'])
  await write('POST', '/api/v1/namespaces/scale/pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web' },
    spec: { serviceAccountName: 'web', containers: [{ name: 'app', image: 'app' }] },
  })
  kubeconfig = await controlPlaneAccount(server, folder)
})

afterAll(async () => {
  await sidecar?.stop()
  await plane?.stop()
  client?.close()
  await server?.stop()
  removeFolder(folder)
})

// Somebody's cluster has not the addresses for that.
testOwnServer(
  '1,000 Services: it starts in 20 s with 400 MB at most, and a change costs what it costs with 100',
  async () => {
    await grow(100)
    await startPlane()
    await startSidecar()
    await cpuOfChange(200, 1)
    const small = await cpuOfChange(1_000, 2)
    await sidecar.stop()
    await plane.stop()

    await grow(1_000)
    const readyMs = await startPlane()
    await startSidecar()
    await cpuOfChange(200, 3)
    const large = await cpuOfChange(1_000, 4)
    const tookMs: number[] = []
    for (let i = 0; i < 100; i++) tookMs.push(await moveWatched(`10.96.0.${i + 1}`))
    const p99Ms = tookMs.toSorted((a, b) => a - b)[98] as number
    const rssMb = plane.rssBytes() / 1e6

    process.stdout.write(
      `start to ready ${readyMs.toFixed(0)} ms, ${rssMb.toFixed(0)} MB, a change in use after ${p99Ms.toFixed(0)} ms (p99 of 100), ` +
        `its CPU ${small.toFixed(2)} ms with 100 Services and ${large.toFixed(2)} ms with 1,000\n`,
    )
    expect(readyMs).toBeLessThan(20_000)
    expect(rssMb).toBeLessThan(400)
    expect(p99Ms).toBeLessThan(200)
    expect(large).toBeLessThan(small * 2)
  },
  300_000,
)
