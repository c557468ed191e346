/** A client nobody here wrote: gRPC's own xDS client, split by the same TrafficSplit file that sidecars follow. */
import * as grpc from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LiveMesh } from '../../api/live.ts'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import {
  removeFolder,
  servicesYaml,
  splitYaml,
  startTestControlPlane,
  type TestControlPlane,
} from '../support/running-control-plane.ts'

const echo: grpc.MethodDefinition<string, string> = {
  path: '/test.Echo/Name',
  requestStream: false,
  responseStream: false,
  requestSerialize: (text) => Buffer.from(text),
  requestDeserialize: (bytes) => bytes.toString(),
  responseSerialize: (text) => Buffer.from(text),
  responseDeserialize: (bytes) => bytes.toString(),
}

function startGreeter(name: string): Promise<{ readonly server: grpc.Server; readonly port: number }> {
  const server = new grpc.Server()
  server.addService(
    { name: echo },
    { name: (_call: unknown, reply: grpc.sendUnaryData<string>) => reply(null, name) },
  )
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve({ server, port }) : reject(error),
    )
  })
}

let plane: TestControlPlane
let client: grpc.Client
const servers: grpc.Server[] = []

function call(): Promise<string> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      echo.path,
      echo.requestSerialize,
      echo.responseDeserialize,
      'x',
      { deadline: Date.now() + 5000 },
      (error, value) => (error === null ? resolve(value ?? '') : reject(error)),
    )
  })
}

/** The share of v2 in percent over `calls` calls. */
async function shareOfV2(calls: number): Promise<number> {
  let v2 = 0
  for (let done = 0; done < calls; done += 50) {
    const names = await Promise.all(Array.from({ length: 50 }, call))
    v2 += names.filter((name) => name === 'v2').length
  }
  return (100 * v2) / calls
}

beforeAll(async () => {
  const [v1, v2] = await Promise.all([startGreeter('v1'), startGreeter('v2')])
  servers.push(v1.server, v2.server)
  plane = await startTestControlPlane({
    'mesh.yaml': servicesYaml({ catalog: [v1.port], 'catalog-v1': [v1.port], 'catalog-v2': [v2.port] }),
    'split.yaml': splitYaml({ 'catalog-v1': 90, 'catalog-v2': 10 }),
  })
  process.env['GRPC_XDS_BOOTSTRAP_CONFIG'] = JSON.stringify({
    xds_servers: [
      {
        server_uri: `127.0.0.1:${plane.running.insecureXdsPort}`,
        channel_creds: [{ type: 'insecure' }],
        server_features: ['xds_v3'],
      },
    ],
    node: { id: 'test-client', locality: {} },
  })
  const xds = await import('@grpc/grpc-js-xds')
  xds.register()
  client = new grpc.Client('xds:///catalog.shop:8080', grpc.credentials.createInsecure())
})

afterAll(async () => {
  client.close()
  for (const server of servers) server.forceShutdown()
  await plane.stop()
  removeFolder(plane.folder)
})

test('a stock gRPC client is split 90/10, follows a weight change and survives a restart of the control plane', async () => {
  expect(Math.abs((await shareOfV2(2000)) - 10)).toBeLessThan(3)
  plane.write('split.yaml', splitYaml({ 'catalog-v1': 0, 'catalog-v2': 100 }))
  await expect.poll(() => shareOfV2(50)).toBe(100)

  const { folder } = plane
  const insecurePort = plane.running.insecureXdsPort
  await plane.stop()
  expect(await shareOfV2(200)).toBe(100)

  plane = await startTestControlPlane({}, { folder, insecurePort })
  expect(await shareOfV2(200)).toBe(100)
  plane.write('split.yaml', splitYaml({ 'catalog-v1': 100, 'catalog-v2': 0 }))
  await expect.poll(() => shareOfV2(50), { timeout: 15_000 }).toBe(0)
  expect(plane.logLines.filter((line) => line.includes('RESOURCE_REJECTED'))).toEqual([])
})

test('a stock gRPC client accepts what a TrafficPolicy says of its clusters', async () => {
  const answers = async (name: string): Promise<number> => {
    const { text } = await fetchText(plane.running.adminPort, '/metrics')
    return Number(new RegExp(`^weft_xds_${name}_total\\S* (\\d+)$`, 'm').exec(text)?.[1])
  }
  const policy = (balancer: string) =>
    `apiVersion: weft.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: p, namespace: shop}
spec:
  targetRefs: [{kind: Service, name: catalog-v1}, {kind: Service, name: catalog-v2}]
  balancer: ${balancer}
  connectionPool: {maxRequests: 100}
  outlierDetection: {successRate: {thresholdPercent: 50}}
`
  for (const balancer of [
    '{type: RoundRobin}',
    '{type: RingHash, hash: [{header: x-user}]}',
    '{type: Maglev, hash: [{header: x-user}]}',
  ]) {
    const before = await answers('acks')
    plane.write('policy.yaml', policy(balancer))
    await expect.poll(() => answers('acks')).toBeGreaterThan(before)
    expect(await shareOfV2(100)).toBe(0)
  }
  expect(await answers('nacks')).toBe(0)
  expect(plane.logLines.filter((line) => line.includes('RESOURCE_REJECTED'))).toEqual([])
})

test('a stock gRPC client reports its load, as its clusters ask it to', async () => {
  await shareOfV2(50)
  const reported = async (): Promise<number> => {
    const { text } = await fetchText(plane.running.adminPort, '/live/mesh')
    const { edges } = JSON.parse(text) as LiveMesh
    const edge = edges.find(
      ({ source, backend }) => source.name === 'test-client' && backend.name === 'catalog-v1',
    )
    return edge?.requestsPerSecond ?? 0
  }
  await expect.poll(reported, { timeout: 10_000 }).toBeGreaterThan(0)
})

test('a stock gRPC client follows a GRPCRoute by service and method', async () => {
  const route = (method: string) =>
    `apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: catalog, namespace: shop}
spec:
  parentRefs: [{group: '', kind: Service, name: catalog}]
  rules:
    - matches: [{method: ${method}}]
      backendRefs: [{name: catalog-v2, port: 8080}]
    - backendRefs: [{name: catalog-v1, port: 8080}]
`
  expect(await shareOfV2(50)).toBe(0)
  for (const [method, share] of [
    ['{service: test.Echo}', 100],
    ['{service: test}', 0],
    ['{service: test.Echo, method: Name}', 100],
    ['{type: RegularExpression, method: Na.*}', 100],
    ['{service: test.Echo, method: Other}', 0],
  ] as const) {
    plane.write('route.yaml', route(method))
    await expect.poll(() => shareOfV2(50)).toBe(share)
  }
  expect(plane.logLines.filter((line) => line.includes('RESOURCE_REJECTED'))).toEqual([])
})
