/** gRPC's interop cases, client and server of grpc-js, through two sidecars with mesh mTLS between them. */
import * as grpc from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { interopCases } from '../support/interop/interop-cases.ts'
import { type InteropServer, startInteropServer } from '../support/interop/interop-server.ts'
import { type SidecarPair, startSidecarPair } from '../support/sidecar-pair.ts'

let server: InteropServer
let pair: SidecarPair
let client: grpc.Client

beforeAll(async () => {
  server = await startInteropServer('orders')
  pair = await startSidecarPair(server.port)
  client = new grpc.Client(`127.0.0.1:${pair.outbound.port}`, grpc.credentials.createInsecure(), {
    'grpc.default_authority': 'orders.shop:8080',
  })
}, 60_000)

afterAll(async () => {
  client?.close()
  await pair?.stop()
  server?.stop()
})

test.each(Object.keys(interopCases))('%s', async (name) => {
  await interopCases[name]?.(client)
})

test('all of that came with mutual TLS, and the calls that were given up are over at the server', async () => {
  const all = await pair.inbound.metric('request_total', 'direction="inbound"')
  expect(await pair.inbound.metric('request_total', 'tls="true"')).toBe(all)
  expect(all).toBeGreaterThanOrEqual(Object.keys(interopCases).length)
  await expect.poll(() => server.served.cancelled).toBeGreaterThanOrEqual(2)
})
