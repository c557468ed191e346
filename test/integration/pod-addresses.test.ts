/** Calls to a pod's own address, as a headless Service's name or a peer tells it: folder, control plane, xDS and two sidecars. */
import { stringify } from 'yaml'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePorts } from '../../cli/demo/ports.ts'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { type HttpApplication, startHttpApplication } from '../support/http-application.ts'
import { HttpClient } from '../support/http-client.ts'
import { RawClient } from '../support/raw-tcp.ts'
import { until } from '../support/route-mesh.ts'
import {
  removeFolder,
  startTestControlPlane,
  type TestControlPlane,
} from '../support/running-control-plane.ts'
import { podYaml, type SidecarProcess, startSidecar } from '../support/sidecar-process.ts'
import { startTcpApplication, type TcpApplication } from '../support/tcp-application.ts'

const proven = 'client_id="spiffe://cluster.local/ns/shop/sa/web"'

let http: HttpApplication
let tcp: TcpApplication
let plane: TestControlPlane
let web: SidecarProcess
let db: SidecarProcess
let client: HttpClient
let httpPort = 0
let tcpPort = 0

function podWith(podIP: string): string {
  const inbound = `127.0.0.1:${httpPort}=${http.port},127.0.0.1:${tcpPort}=${tcp.port}`
  return stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'db', namespace: 'shop', annotations: { 'config.weft.dev/inbound': inbound } },
    spec: { serviceAccountName: 'db' },
    status: { podIP },
  })
}

beforeAll(async () => {
  http = await startHttpApplication('http')
  tcp = await startTcpApplication('tcp')
  ;[httpPort = 0, tcpPort = 0] = await freePorts(2)
  plane = await startTestControlPlane({ 'web.yaml': podYaml, 'db.yaml': podWith('127.0.0.1') })
  db = await startSidecar(plane, { workload: 'db' })
  web = await startSidecar(plane, { settings: ['--outbound-policy=deny'] })
  client = new HttpClient(web.port)
})
afterAll(async () => {
  client.close()
  await web.stop()
  await db.stop()
  await plane.stop()
  await http.stop()
  await tcp.stop()
  removeFolder(plane.folder)
})

async function untilLine(family: string, ...labels: readonly string[]): Promise<void> {
  await until(`${family} with ${labels.join()}`, async () => {
    const { text } = await fetchText(db.adminPort, '/metrics')
    return text
      .split('\n')
      .some((line) => line.startsWith(family) && labels.every((label) => line.includes(label)))
  })
}

test('a request to a pod arrives under mesh TLS, by who sent it', async () => {
  const { status, body } = await client.send(`http://127.0.0.1:${httpPort}/`)
  expect({ status, body }).toEqual({ status: 200, body: 'http' })
  await untilLine('request_total', 'direction="inbound"', 'tls="true"', proven)
})

test('so does a connection', async () => {
  const raw = new RawClient(web.port)
  raw.write(`CONNECT 127.0.0.1:${tcpPort} HTTP/1.1\r\nHost: x\r\n\r\n`)
  await raw.take((text) => text.endsWith('\r\n\r\n'))
  raw.socket.end('\x01bytes', 'latin1')
  expect(await raw.take()).toContain('tcp:\x01bytes')
  await untilLine('tcp_close_total', 'peer="dst"', proven)
})

test('once the pod has another address, this one is nobody of the mesh', async () => {
  plane.write('db.yaml', podWith('127.0.0.9'))
  await until('the address is given up', async () => {
    const { status } = await client.send(`http://127.0.0.1:${httpPort}/`)
    return status === 502
  })
  plane.write('db.yaml', podWith('127.0.0.1'))
  await until('and taken again', async () => {
    const { status } = await client.send(`http://127.0.0.1:${httpPort}/`)
    return status === 200
  })
})
