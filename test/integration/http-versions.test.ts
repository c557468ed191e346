/** What a Service's port speaks, from its YAML to the wire: clients of one version, applications of the other. */
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import type net from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { HttpClient } from '../support/http-client.ts'
import {
  removeFolder,
  startTestControlPlane,
  type TestControlPlane,
} from '../support/running-control-plane.ts'
import { podYaml, type SidecarProcess, startSidecar } from '../support/sidecar-process.ts'
import { webSocketOn } from '../support/stream-web-socket.ts'

let application: http2.Http2Server
let old: http.Server
/** Connections that the old application was sent anything on but HTTP/1.1. */
let misled = 0
let plane: TestControlPlane
let sidecar: SidecarProcess
let client: HttpClient

/** A Service before the application, whose port is said to be `port`. */
function serviceYaml(name: string, port: string, server: net.Server = application): string {
  const { port: at } = server.address() as AddressInfo
  return `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {ports: [{port: 8080, ${port}}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}, namespace: shop, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
ports: [{name: ${/name: ([^,]+)/.exec(port)?.[1] ?? "''"}, port: ${at}}]
endpoints: [{addresses: [127.0.0.1]}]
---
`
}

beforeAll(async () => {
  application = http2.createServer({ settings: { enableConnectProtocol: true } }, (request, response) => {
    request.resume()
    response.end(`${request.httpVersion} ${request.method} ${request.url}`)
  })
  application.on('connect', ({ stream }: http2.Http2ServerRequest) => {
    stream.respond({ ':status': 200 })
    webSocketOn(stream, 'server').send('over HTTP/2')
  })
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve))
  old = http.createServer((request, response) => response.end(`${request.httpVersion} ${request.url}`))
  old.on('clientError', (_error, socket) => {
    misled++
    socket.destroy()
  })
  await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve))
  plane = await startTestControlPlane({
    'mesh.yaml': [
      serviceYaml('h2c', 'appProtocol: kubernetes.io/h2c'),
      serviceYaml('named', 'name: grpc-api'),
      serviceYaml('silent', 'name: api'),
      serviceYaml('old', 'appProtocol: http', old),
      podYaml,
    ].join(''),
  })
  sidecar = await startSidecar(plane)
  client = new HttpClient(sidecar.port)
}, 60_000)
afterAll(async () => {
  client?.close()
  await sidecar?.stop()
  await plane?.stop()
  if (plane !== undefined) removeFolder(plane.folder)
  application?.close()
  old?.close()
})

test.each(['h2c', 'named'])('a Service that says so is spoken to in HTTP/2: %s', async (name) => {
  expect(await client.send(`http://${name}.shop:8080/a?b`)).toMatchObject({
    status: 200,
    body: '2.0 GET /a?b',
  })
})

test.each(['h2c', 'named'])('and so are its WebSockets: %s', async (name) => {
  const headers = { host: `${name}.shop:8080` }
  const socket = new WebSocket(`ws://127.0.0.1:${sidecar.port}/chat`, { headers })
  onTestFinished(() => socket.terminate())
  expect(String((await once(socket, 'message'))[0])).toBe('over HTTP/2')
})

test('one that says nothing is spoken to as its client does, which this application does not take', async () => {
  expect((await client.send('http://silent.shop:8080/')).status).toBe(502)
})

test('an HTTP/2 client of a Service that speaks HTTP/1.1 is translated, and nothing else is tried', async () => {
  const session = http2.connect(`http://127.0.0.1:${sidecar.port}`)
  const stream = session.request({ ':authority': 'old.shop:8080', ':path': '/a' })
  stream.setEncoding('utf8')
  let body = ''
  stream.on('data', (text: string) => {
    body += text
  })
  await new Promise((resolve) => stream.on('close', resolve))
  session.destroy()
  expect([body, misled]).toEqual(['1.1 /a', 0])
})
