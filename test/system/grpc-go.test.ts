/**
 * gRPC's interop cases with client and server in Go, through two sidecars with mesh mTLS between them: other frames than
 * grpc-js sends, PINGs that measure the connection, and a server that ends a connection with too many of them.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callByGrpcGo, type GrpcGoServer, startGrpcGoServer } from '../support/grpc-go.ts'
import { type SidecarPair, startSidecarPair } from '../support/sidecar-pair.ts'
import { describeWithGrpcGo } from './requirements.ts'

describeWithGrpcGo('grpc-go', () => {
  let server: GrpcGoServer
  let pair: SidecarPair

  beforeAll(async () => {
    server = await startGrpcGoServer()
    pair = await startSidecarPair(server.port)
  }, 60_000)
  afterAll(async () => {
    await pair?.stop()
    await server?.stop()
  })

  test('all of its cases are kept, and a hundred more rounds of ping pong', async () => {
    expect(await callByGrpcGo(pair.outbound.port, 'orders.shop:8080')).toEqual([
      'empty_unary',
      'large_unary',
      'client_streaming',
      'server_streaming',
      'ping_pong',
      'empty_stream',
      'timeout_on_sleeping_server',
      'cancel_after_begin',
      'cancel_after_first_response',
      'status_code_and_message',
      'special_status_message',
      'custom_metadata',
      'unimplemented_method',
      'unimplemented_service',
      'ping_pong x 100',
    ])
  }, 90_000)
})
