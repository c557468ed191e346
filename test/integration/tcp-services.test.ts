/** Connections by what the folder says: opaque ports, splits, mesh TLS; folder, control plane, xDS and two sidecars. */
import { stringify } from 'yaml'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePorts } from '../../cli/demo/ports.ts'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { RawClient } from '../support/raw-tcp.ts'
import { until } from '../support/route-mesh.ts'
import {
  removeFolder,
  startTestControlPlane,
  type TestControlPlane,
} from '../support/running-control-plane.ts'
import { podYaml, type SidecarProcess, startSidecar } from '../support/sidecar-process.ts'
import { startTcpApplication, type TcpApplication } from '../support/tcp-application.ts'

const established = 'HTTP/1.1 200 Connection established\r\n\r\n'
const proven = 'client_id="spiffe://cluster.local/ns/shop/sa/web"'

type UsedTcp = { readonly opaque: boolean; readonly clusters: readonly { readonly weight: number }[] }

let one: TcpApplication
let two: TcpApplication
let plane: TestControlPlane
let web: SidecarProcess
let db: SidecarProcess

function toYaml(...objects: readonly object[]): string {
  return objects.map((object) => stringify(object)).join('---\n')
}

function service(
  name: string,
  ports: readonly number[],
  annotations: Readonly<Record<string, string>> = {},
): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop', annotations },
    spec: { ports: ports.map((port) => ({ name: `p${port}`, port })) },
  }
}

function slice(name: string, ports: readonly number[], target: number, pod?: string): object {
  const targetRef = pod === undefined ? {} : { targetRef: { kind: 'Pod', name: pod, namespace: 'shop' } }
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: ports.map((port) => ({ name: `p${port}`, port: target })),
    endpoints: [{ addresses: ['127.0.0.1'], ...targetRef }],
  }
}

function split(weights: Readonly<Record<string, number>>, more: object = {}): string {
  const backends = Object.entries(weights).map(([name, weight]) => ({ service: name, weight }))
  return toYaml({
    apiVersion: 'split.smi-spec.io/v1alpha4',
    kind: 'TrafficSplit',
    metadata: { name: 'apex', namespace: 'shop' },
    spec: { service: 'apex', backends, ...more },
  })
}

beforeAll(async () => {
  one = await startTcpApplication('one', 'greeting')
  two = await startTcpApplication('two', 'greeting')
  const [listenPort = 0] = await freePorts(1)
  const inbound = { 'config.weft.dev/inbound': `127.0.0.1:${listenPort}=${one.port}` }
  const opaque = { 'config.weft.dev/opaque-ports': `${one.port}` }
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'db', namespace: 'shop', annotations: { ...inbound, ...opaque } },
    spec: { serviceAccountName: 'db' },
  }
  plane = await startTestControlPlane({
    'pods.yaml': `${podYaml}---\n${toYaml(pod)}`,
    'services.yaml': toYaml(
      service('db', [5432, 9000]),
      slice('db', [5432, 9000], listenPort, 'db'),
      service('v2', [9000]),
      slice('v2', [9000], two.port),
      service('apex', [9000]),
      slice('apex', [9000], listenPort, 'db'),
    ),
  })
  db = await startSidecar(plane, { workload: 'db' })
  web = await startSidecar(plane, {
    settings: ['--access-log=json', '--log-level=info', '--outbound-policy=deny'],
  })
})
afterAll(async () => {
  await web.stop()
  await db.stop()
  await plane.stop()
  await one.stop()
  await two.stop()
  removeFolder(plane.folder)
})

/** What the sidecar uses for connections to a destination of namespace `shop`. */
async function used(destination: string): Promise<UsedTcp | undefined> {
  const { text } = await fetchText(web.adminPort, '/config')
  const page = JSON.parse(text) as { readonly destinations: Readonly<Record<string, { tcp?: UsedTcp }>> }
  return page.destinations[destination]?.tcp
}

/** Opens a tunnel and tells which application answers there. */
async function talk(destination: string): Promise<string> {
  const client = new RawClient(web.port)
  client.write(`CONNECT ${destination} HTTP/1.1\r\nHost: ${destination}\r\n\r\n`)
  const greeted = `${established}greeting`
  expect(await client.take((text) => text.length >= greeted.length)).toBe(greeted)
  client.socket.end('\x01bytes', 'latin1')
  const answer = await client.take()
  expect(answer).toMatch(/^(one|two):.bytes\1:end$/)
  return answer.slice(0, 3)
}

test('a connection to a Service passes both sidecars under mesh TLS, is counted at both and logged', async () => {
  expect(await talk('db:5432')).toBe('one')
  await until('the connection counted', async () => {
    const { text } = await fetchText(db.adminPort, '/metrics')
    return text.split('\n').some((line) => line.startsWith('tcp_close_total') && line.includes(proven))
  })
  expect(await db.metric('tcp_close_total', proven)).toBe(1)
  const labels = 'peer="dst",tls="true",server_id="spiffe://cluster.local/ns/shop/sa/db"'
  expect(await web.metric('tcp_open_total', labels)).toBe(1)
  expect(await web.metric('tcp_write_bytes_total', labels)).toBe(6)
  expect(await web.metric('tcp_read_bytes_total', labels)).toBe('greetingone:\x01bytesone:end'.length)
  expect(await web.metric('tcp_connection_duration_ms_count', labels)).toBe(1)
  const line = web
    .log()
    .split('\n')
    .find((text) => text.includes('"protocol":"tcp"'))
  expect(JSON.parse(line ?? '{}')).toMatchObject({
    direction: 'outbound',
    destination: 'db.shop:5432',
    cluster: 'db.shop.svc.cluster.local:5432',
    receivedBytes: 6,
    flag: '',
  })
})

test('a destination that the mesh does not know is refused', async () => {
  const client = new RawClient(web.port)
  client.write('CONNECT nobody.shop:9000 HTTP/1.1\r\nHost: nobody.shop:9000\r\n\r\n')
  expect(await client.take()).toMatch(/^HTTP\/1\.1 405 /)
})

test("ports are opaque by the default list, the Service's annotation, or its namespace's", async () => {
  await talk('db:5432')
  await talk('db:9000')
  expect((await used('db.shop:5432'))?.opaque).toBe(true)
  expect((await used('db.shop:9000'))?.opaque).toBe(false)
  const annotations = { 'config.weft.dev/opaque-ports': '8000-9000' }
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', annotations } }
  plane.write('namespace.yaml', toYaml(namespace))
  await until('the namespace counts', async () => (await used('db.shop:9000'))?.opaque === true)
  await until('its list replaces the default one', async () => (await used('db.shop:5432'))?.opaque === false)
  plane.write('namespace.yaml', '')
  await until('without it, the default list', async () => (await used('db.shop:5432'))?.opaque === true)
})

test('a split chooses for each connection, and its weights are followed', async () => {
  await talk('apex:9000')
  plane.write('split.yaml', split({ v2: 1, apex: 0 }))
  await until('the split', async () => (await used('apex.shop:9000'))?.clusters.length === 2)
  for (let i = 0; i < 10; i++) expect(await talk('apex:9000')).toBe('two')
  plane.write('split.yaml', split({ v2: 0, apex: 1 }))
  await until('its change', async () => (await used('apex.shop:9000'))?.clusters[0]?.weight === 0)
  for (let i = 0; i < 10; i++) expect(await talk('apex:9000')).toBe('one')
})

test('a split of the requests that match leaves connections with the apex', async () => {
  plane.write(
    'group.yaml',
    toYaml({
      apiVersion: 'specs.smi-spec.io/v1alpha4',
      kind: 'HTTPRouteGroup',
      metadata: { name: 'beta', namespace: 'shop' },
      spec: { matches: [{ name: 'beta', headers: { user: 'beta' } }] },
    }),
  )
  const matches = [{ kind: 'HTTPRouteGroup', name: 'beta', apiGroup: 'specs.smi-spec.io' }]
  plane.write('split.yaml', split({ v2: 1, apex: 0 }, { matches }))
  await until('the split', async () => (await used('apex.shop:9000'))?.clusters.length === 1)
  for (let i = 0; i < 5; i++) expect(await talk('apex:9000')).toBe('one')
})

test('a list of ports that does not read is reported with its place, and changes nothing', async () => {
  await talk('db:5432')
  plane.write('bad.yaml', toYaml(service('bad', [1], { 'config.weft.dev/opaque-ports': '5432-1' })))
  await until('the report', () => plane.logLines.some((line) => line.includes('must be ports and ranges')))
  expect((await used('db.shop:5432'))?.opaque).toBe(true)
})
