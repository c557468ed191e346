/** The test cases of gRPC's interop descriptions that need no cloud, by name; each rejects where it is not kept. */
import assert from 'node:assert/strict'
import * as grpc from '@grpc/grpc-js'
import { echoInitial, echoTrailing } from './interop-server.ts'
import {
  type InputRequest,
  type InputResponse,
  type OutputRequest,
  type OutputResponse,
  testService,
  unimplementedCall,
  unimplementedServiceCall,
} from './test-service.ts'

const { status } = grpc
const patienceMs = 10_000

const payload = (bytes: number) => ({ body: Buffer.alloc(bytes) })
const soon = () => ({ deadline: Date.now() + patienceMs })

type Outcome<R> = {
  readonly response: R | undefined
  readonly code: grpc.status
  readonly details: string
  readonly initial: grpc.Metadata | undefined
  readonly trailing: grpc.Metadata | undefined
}

/** One unary call; resolves with its outcome, good or bad. */
export function unary<Q, R>(
  client: grpc.Client,
  method: grpc.MethodDefinition<Q, R>,
  request: Q,
  metadata = new grpc.Metadata(),
  options: grpc.CallOptions = soon(),
): Promise<Outcome<R>> {
  const { path, requestSerialize, responseDeserialize } = method
  return new Promise((resolve) => {
    let initial: grpc.Metadata | undefined
    let response: R | undefined
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      options,
      (_error, value) => {
        response = value
      },
    )
    call.on('metadata', (received) => {
      initial = received
    })
    call.on('status', ({ code, details, metadata: trailing }) =>
      // The callback comes with the status, in whichever order.
      setImmediate(() => resolve({ response, code, details, initial, trailing })),
    )
  })
}

export function duplex(
  client: grpc.Client,
  metadata = new grpc.Metadata(),
  options: grpc.CallOptions = soon(),
): grpc.ClientDuplexStream<OutputRequest, OutputResponse> {
  const { path, requestSerialize, responseDeserialize } = testService.fullDuplexCall
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata, options)
  call.on('error', () => undefined)
  return call
}

export function input(client: grpc.Client): {
  readonly call: grpc.ClientWritableStream<InputRequest>
  readonly response: Promise<InputResponse>
} {
  const { path, requestSerialize, responseDeserialize } = testService.streamingInputCall
  const { promise, resolve, reject } = Promise.withResolvers<InputResponse>()
  const metadata = new grpc.Metadata()
  const call = client.makeClientStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    metadata,
    soon(),
    (error, value) => (error === null ? resolve(value as InputResponse) : reject(error)),
  )
  call.on('error', () => undefined)
  promise.catch(() => undefined)
  return { call, response: promise }
}

export function output(
  client: grpc.Client,
  request: OutputRequest,
): grpc.ClientReadableStream<OutputResponse> {
  const { path, requestSerialize, responseDeserialize } = testService.streamingOutputCall
  const metadata = new grpc.Metadata()
  const call = client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    request,
    metadata,
    soon(),
  )
  call.on('error', () => undefined)
  return call
}

export function statusOf(
  call: grpc.ClientReadableStream<unknown> | grpc.ClientWritableStream<never>,
): Promise<grpc.StatusObject> {
  return new Promise((resolve) => {
    ;(call as grpc.ClientReadableStream<unknown>).on('status', resolve)
  })
}

function nextMessage(call: grpc.ClientReadableStream<OutputResponse>): Promise<OutputResponse> {
  return new Promise((resolve) => {
    call.once('data', resolve)
  })
}

const sizeOf = (response: OutputResponse): number => response.payload?.body.length ?? 0

async function sizesOf(call: grpc.ClientReadableStream<OutputResponse>): Promise<readonly number[]> {
  const sizes: number[] = []
  call.on('data', (response: OutputResponse) => sizes.push(sizeOf(response)))
  const { code, details } = await statusOf(call)
  assert.equal(code, status.OK, details)
  return sizes
}

const requestSizes = [27_182, 8, 1_828, 45_904]
const responseSizes = [31_415, 9, 2_653, 58_979]
const echoed = { code: status.UNKNOWN, message: 'test status message' }
const special = {
  code: status.UNKNOWN,
  message: '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n',
}

function echoes(): grpc.Metadata {
  const metadata = new grpc.Metadata()
  metadata.set(echoInitial, 'test_initial_metadata_value')
  metadata.set(echoTrailing, Buffer.from('ababab', 'hex'))
  return metadata
}

function assertEchoed(initial: grpc.Metadata | undefined, trailing: grpc.Metadata | undefined): void {
  assert.deepEqual(initial?.get(echoInitial), ['test_initial_metadata_value'])
  assert.deepEqual(trailing?.get(echoTrailing), [Buffer.from('ababab', 'hex')])
}

async function statusOfDuplex(
  client: grpc.Client,
  responseStatus: typeof echoed,
): Promise<grpc.StatusObject> {
  const call = duplex(client)
  call.resume()
  call.write({ responseStatus })
  call.end()
  return statusOf(call)
}

export const interopCases: Readonly<Record<string, (client: grpc.Client) => Promise<void>>> = {
  empty_unary: async (client) => {
    const { code, details } = await unary(client, testService.emptyCall, {})
    assert.equal(code, status.OK, details)
  },

  large_unary: async (client) => {
    const request = { responseSize: 314_159, payload: payload(271_828) }
    const { code, details, response } = await unary(client, testService.unaryCall, request)
    assert.equal(code, status.OK, details)
    assert.equal(response?.payload?.body.length, 314_159)
  },

  client_streaming: async (client) => {
    const { call, response } = input(client)
    for (const size of requestSizes) call.write({ payload: payload(size) })
    call.end()
    assert.equal((await response).aggregatedPayloadSize, 74_922)
  },

  server_streaming: async (client) => {
    const responseParameters = responseSizes.map((size) => ({ size }))
    assert.deepEqual(await sizesOf(output(client, { responseParameters })), responseSizes)
  },

  ping_pong: async (client) => {
    const call = duplex(client)
    const ended = statusOf(call)
    for (const [i, size] of responseSizes.entries()) {
      const next = nextMessage(call)
      call.write({ responseParameters: [{ size }], payload: payload(requestSizes[i] as number) })
      assert.equal(sizeOf(await next), size)
    }
    call.end()
    assert.equal((await ended).code, status.OK)
  },

  empty_stream: async (client) => {
    const call = duplex(client)
    call.end()
    assert.deepEqual(await sizesOf(call), [])
  },

  cancel_after_begin: async (client) => {
    const { call } = input(client)
    const ended = statusOf(call as never)
    call.cancel()
    assert.equal((await ended).code, status.CANCELLED)
  },

  cancel_after_first_response: async (client) => {
    const call = duplex(client)
    const ended = statusOf(call)
    const next = nextMessage(call)
    call.write({ responseParameters: [{ size: 31_415 }], payload: payload(27_182) })
    assert.equal(sizeOf(await next), 31_415)
    call.cancel()
    assert.equal((await ended).code, status.CANCELLED)
  },

  timeout_on_sleeping_server: async (client) => {
    const call = duplex(client, new grpc.Metadata(), { deadline: Date.now() + 1 })
    call.resume()
    call.write({ payload: payload(27_182), responseParameters: [{ size: 31_415, intervalUs: 500_000 }] })
    assert.equal((await statusOf(call)).code, status.DEADLINE_EXCEEDED)
  },

  custom_metadata: async (client) => {
    const request = { responseSize: 314_159, payload: payload(271_828) }
    const { code, initial, trailing } = await unary(client, testService.unaryCall, request, echoes())
    assert.equal(code, status.OK)
    assertEchoed(initial, trailing)
    const call = duplex(client, echoes())
    let received: grpc.Metadata | undefined
    call.on('metadata', (metadata) => {
      received = metadata
    })
    call.resume()
    call.write({ responseParameters: [{ size: 314_159 }], payload: payload(271_828) })
    call.end()
    const ended = await statusOf(call)
    assert.equal(ended.code, status.OK)
    assertEchoed(received, ended.metadata)
  },

  status_code_and_message: async (client) => {
    const { code, details } = await unary(client, testService.unaryCall, { responseStatus: echoed })
    assert.deepEqual({ code, message: details }, echoed)
    const ended = await statusOfDuplex(client, echoed)
    assert.deepEqual({ code: ended.code, message: ended.details }, echoed)
  },

  special_status_message: async (client) => {
    const { code, details } = await unary(client, testService.unaryCall, { responseStatus: special })
    assert.deepEqual({ code, message: details }, special)
  },

  unimplemented_method: async (client) => {
    const { code } = await unary(client, unimplementedCall, {})
    assert.equal(code, status.UNIMPLEMENTED)
  },

  unimplemented_service: async (client) => {
    const { code } = await unary(client, unimplementedServiceCall, {})
    assert.equal(code, status.UNIMPLEMENTED)
  },
}
