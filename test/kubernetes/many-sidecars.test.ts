/** 50 sidecar processes in a real cluster: how soon a change is in use by all of them. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { KubernetesClient } from '../../core/kubernetes/api-client.ts'
import { readKubeconfig } from '../../core/kubernetes/kubeconfig.ts'
import { bundleOf, bundleProcesses } from '../../deploy/bundle.ts'
import { ApiServer } from '../support/api-server.ts'
import { ClusterControlPlane, controlPlaneAccount } from '../support/cluster-control-plane.ts'
import { type HttpApplication, startHttpApplication } from '../support/http-application.ts'
import { HttpClient } from '../support/http-client.ts'
import { removeFolder } from '../support/running-control-plane.ts'
import { type SidecarProcess, startEnrolledSidecar } from '../support/sidecar-process.ts'

const crds = path.join(import.meta.dirname, '../../deploy/crds')
const url = 'http://catalog.shop:8080/'
const sidecarCount = 50
const startedAtOnce = 4
const changes = 40
/** Asked so often until the new weight is seen: what is measured is that much too long at most. */
const askEveryMs = 10
const inUseWithinMs = 500
const patienceMs = 30_000

type Member = { readonly sidecar: SidecarProcess; readonly client: HttpClient }

const ips = { catalog: '10.244.0.2', 'catalog-v1': '10.244.0.3', 'catalog-v2': '10.244.0.4' }
const apps: HttpApplication[] = []
const members: Member[] = []
let folder: string
let server: ApiServer
let plane: ClusterControlPlane
let kubeconfig: string

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms))
}

function splitTo(backend: 'catalog-v1' | 'catalog-v2'): string {
  const weight = (name: string): number => (name === backend ? 100 : 0)
  return `
apiVersion: split.smi-spec.io/v1alpha4
kind: TrafficSplit
metadata: {name: catalog, namespace: shop}
spec:
  service: catalog
  backends:
    - {service: catalog-v1, weight: ${weight('catalog-v1')}}
    - {service: catalog-v2, weight: ${weight('catalog-v2')}}
`
}

/** When a request of this sidecar's application was the first to be answered by `backend`. */
async function firstAnswerOf({ client }: Member, backend: string): Promise<number> {
  const deadlineMs = performance.now() + patienceMs
  for (;;) {
    const { status, body } = await client.send(url)
    if (status !== 200) throw new Error(`a request failed: ${status} ${body}`)
    if (body === backend) return performance.now()
    if (performance.now() > deadlineMs) throw new Error(`${backend} is not in use`)
    await pause(askEveryMs)
  }
}

/** When the last sidecar's request was answered by `backend`. */
async function inUseByAll(backend: string): Promise<number> {
  return Math.max(...(await Promise.all(members.map((member) => firstAnswerOf(member, backend)))))
}

async function knowsDestination({ client }: Member): Promise<void> {
  const deadlineMs = performance.now() + patienceMs
  while ((await client.send(url)).status !== 200) {
    if (performance.now() > deadlineMs) throw new Error('a sidecar does not come to know its destination')
    await pause(askEveryMs)
  }
}

async function create(client: KubernetesClient, at: string, body: object): Promise<unknown> {
  const { status, body: answer } = await client.request('POST', at, body)
  if (status !== 201) throw new Error(`${at}: ${status} ${JSON.stringify(answer)}`)
  return answer
}

/** A ServiceAccount, its Pod, the token that the kubelet would give it, and its sidecar. */
async function addMember(client: KubernetesClient, name: string, caFile: string): Promise<Member> {
  const shop = '/api/v1/namespaces/shop'
  await create(client, `${shop}/serviceaccounts`, { metadata: { name } })
  const containers = [{ name: 'app', image: 'app' }]
  const pod = { metadata: { name }, spec: { nodeName: 'node-1', serviceAccountName: name, containers } }
  await create(client, `${shop}/pods`, pod)
  const review = await create(client, `${shop}/serviceaccounts/${name}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: ['weft'] },
  })
  const tokenFile = path.join(folder, `${name}.token`)
  writeFileSync(tokenFile, (review as { status: { token: string } }).status.token, { mode: 0o600 })
  const sidecar = await startEnrolledSidecar(
    { grpcPort: plane.grpcPort, caFile, tokenFile },
    { workload: name, bundle: bundleOf('proxy') },
  )
  const member = { sidecar, client: new HttpClient(sidecar.port) }
  // From here on it knows the destination: on first use, a busy machine's sidecar may give up waiting for the answer.
  await knowsDestination(member)
  return member
}

/** Services `catalog`, `catalog-v1` and `catalog-v2` with an endpoint each. */
async function deployCatalog(client: KubernetesClient): Promise<void> {
  for (const [name, ip] of Object.entries(ips)) {
    const app = await startHttpApplication(name, undefined, ip)
    apps.push(app)
    await create(client, '/api/v1/namespaces/shop/services', {
      metadata: { name },
      spec: { ports: [{ name: 'http', port: 8080 }] },
    })
    await create(client, '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices', {
      metadata: { name, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: app.port }],
      endpoints: [{ addresses: [ip], conditions: { ready: true } }],
    })
  }
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'weft-many-'))
  await bundleProcesses()
  server = await ApiServer.start()
  await server.kubectl(['create', 'namespace', 'shop'])
  await server.kubectl(['apply', '-f', crds])
  await server.kubectl(['wait', '--for=condition=Established', '--timeout=30s', '-f', crds])
  const client = new KubernetesClient(readKubeconfig([server.kubeconfig]), systemClock)
  await create(client, '/api/v1/nodes', { metadata: { name: 'node-1' } })
  await deployCatalog(client)
  await server.apply(splitTo('catalog-v1'))
  kubeconfig = await controlPlaneAccount(server, folder)
  plane = await ClusterControlPlane.start(kubeconfig)
  await plane.untilReady()
  const secret = await server.kubectl(['get', 'secret', '-n', 'weft', 'weft-root', '-o', 'json'])
  const { data } = JSON.parse(secret) as { readonly data: Readonly<Record<string, string>> }
  const caFile = path.join(folder, 'roots.pem')
  writeFileSync(caFile, Buffer.from(data['tls.crt'] as string, 'base64'))
  let next = 0
  const starter = async (): Promise<void> => {
    while (next < sidecarCount) members.push(await addMember(client, `web-${next++}`, caFile))
  }
  await Promise.all(Array.from({ length: startedAtOnce }, starter))
  client.close()
  await inUseByAll('catalog-v1')
}, 300_000)

afterAll(async () => {
  for (const { client, sidecar } of members) {
    client.close()
    await sidecar.stop()
  }
  await plane?.stop()
  for (const app of apps) await app.stop()
  await server?.stop()
  removeFolder(folder)
}, 60_000)

afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(`${plane.log.slice(-8_000)}\n`)
})

const atPercent = (values: readonly number[], percent: number): number =>
  values.toSorted((a, b) => a - b)[Math.ceil((values.length * percent) / 100) - 1] as number

test(`a weight applied by kubectl is in use by the last of ${sidecarCount} sidecars within ${inUseWithinMs} ms`, async () => {
  const afterMs: number[] = []
  const sinceStartMs: number[] = []
  for (let i = 0; i < changes; i++) {
    const backend = i % 2 === 0 ? 'catalog-v2' : 'catalog-v1'
    const begunMs = performance.now()
    const watching = inUseByAll(backend)
    await server.apply(splitTo(backend))
    const appliedMs = performance.now()
    const usedMs = await watching
    afterMs.push(usedMs - appliedMs)
    sinceStartMs.push(usedMs - begunMs)
  }
  const told = (values: readonly number[]): string =>
    [50, 99].map((percent) => `p${percent} ${atPercent(values, percent).toFixed(0)} ms`).join(', ')
  process.stdout.write(
    `a weight in use by the last of ${members.length} sidecars, ${changes} changes: ` +
      `after kubectl's end ${told(afterMs)}; after its start ${told(sinceStartMs)}\n`,
  )
  expect(members).toHaveLength(sidecarCount)
  expect(atPercent(afterMs, 99)).toBeLessThanOrEqual(inUseWithinMs)
}, 120_000)
