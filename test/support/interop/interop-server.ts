/** gRPC's interop server on grpc-js: echoes metadata and statuses, and answers in the sizes that it is asked for. */
import * as grpc from '@grpc/grpc-js'
import {
  type Empty,
  type EchoStatus,
  type InputRequest,
  type InputResponse,
  type OutputRequest,
  type OutputResponse,
  type SimpleRequest,
  type SimpleResponse,
  testService,
} from './test-service.ts'

export const echoInitial = 'x-grpc-test-echo-initial'
export const echoTrailing = 'x-grpc-test-echo-trailing-bin'

type AnyCall = Pick<grpc.ServerUnaryCall<unknown, unknown>, 'metadata' | 'sendMetadata'>

/** Sends the initial metadata on, and gives what belongs into the trailers. */
function echoMetadata(call: AnyCall): grpc.Metadata {
  const [initial] = call.metadata.get(echoInitial)
  if (initial !== undefined) {
    const metadata = new grpc.Metadata()
    metadata.set(echoInitial, initial)
    call.sendMetadata(metadata)
  }
  const trailing = new grpc.Metadata()
  for (const value of call.metadata.get(echoTrailing)) trailing.add(echoTrailing, value)
  return trailing
}

function failure({ code, message }: EchoStatus, metadata: grpc.Metadata): Partial<grpc.StatusObject> & Error {
  return Object.assign(new Error(message), { code, details: message, metadata })
}

function isFailure(status: EchoStatus | null | undefined): status is EchoStatus {
  return status !== null && status !== undefined && status.code !== 0
}

const zeros = (bytes: number): Buffer => Buffer.alloc(bytes)

/** Answers each parameter of a request, one after the other, with the pauses that it asks for. */
async function answer(
  request: OutputRequest,
  write: (response: OutputResponse) => void,
  cancelled: () => boolean,
): Promise<void> {
  for (const { size, intervalUs = 0 } of request.responseParameters ?? []) {
    if (intervalUs > 0) await new Promise((resolve) => setTimeout(resolve, intervalUs / 1000))
    if (cancelled()) return
    write({ payload: { body: zeros(size) } })
  }
}

export type Served = {
  readonly name: string
  /** Calls that have reached it. */
  calls: number
  /** Calls that their clients gave up. */
  cancelled: number
  /** As they came, by header; of the last call. */
  metadata: grpc.Metadata
}

type Watched = {
  readonly metadata: grpc.Metadata
  readonly on: (event: string, listener: () => void) => unknown
}

function watch(served: Served, call: Watched): void {
  served.calls++
  served.metadata = call.metadata
  call.on('cancelled', () => served.cancelled++)
}

type Unary<Q, R> = (call: grpc.ServerUnaryCall<Q, R>, reply: grpc.sendUnaryData<R>) => void

const unaryCall =
  (served: Served): Unary<SimpleRequest, SimpleResponse> =>
  (call, reply) => {
    watch(served, call)
    const { responseStatus, responseSize = 0 } = call.request
    if (isFailure(responseStatus)) reply(failure(responseStatus, new grpc.Metadata()))
    else {
      const trailing = echoMetadata(call)
      reply(null, { payload: { body: zeros(responseSize) } }, trailing)
    }
  }

const streamingOutputCall =
  (served: Served) =>
  (call: grpc.ServerWritableStream<OutputRequest, OutputResponse>): void => {
    watch(served, call)
    void answer(
      call.request,
      (response) => call.write(response),
      () => call.cancelled,
    ).then(() => call.end())
  }

const streamingInputCall =
  (served: Served) =>
  (
    call: grpc.ServerReadableStream<InputRequest, InputResponse>,
    reply: grpc.sendUnaryData<InputResponse>,
  ): void => {
    watch(served, call)
    let bytes = 0
    call.on('data', ({ payload }: InputRequest) => {
      bytes += payload.body.length
    })
    call.on('error', () => undefined)
    call.on('end', () => reply(null, { aggregatedPayloadSize: bytes }))
  }

const fullDuplexCall =
  (served: Served) =>
  (call: grpc.ServerDuplexStream<OutputRequest, OutputResponse>): void => {
    watch(served, call)
    const trailing = echoMetadata(call)
    let working = Promise.resolve()
    const serve = async (request: OutputRequest): Promise<void> => {
      const { responseStatus } = request
      if (isFailure(responseStatus)) call.emit('error', failure(responseStatus, trailing))
      else
        await answer(
          request,
          (response) => call.write(response),
          () => call.cancelled,
        )
    }
    call.on('error', () => undefined)
    call.on('data', (request: OutputRequest) => {
      working = working.then(() => serve(request))
    })
    call.on('end', () => void working.then(() => call.end(trailing)))
  }

function implementation(served: Served): grpc.UntypedServiceImplementation {
  const emptyCall: Unary<Empty, Empty> = (call, reply) => {
    watch(served, call)
    reply(null, {})
  }
  return {
    emptyCall,
    unaryCall: unaryCall(served),
    streamingOutputCall: streamingOutputCall(served),
    streamingInputCall: streamingInputCall(served),
    fullDuplexCall: fullDuplexCall(served),
  }
}

export type InteropServer = {
  readonly port: number
  readonly served: Served
  /** Ends it as a rolling update does: no new calls, those in flight finish. Resolves when they have. */
  readonly drain: () => Promise<void>
  readonly stop: () => void
}

/** Starts it on a free port of 127.0.0.1. */
export async function startInteropServer(name: string): Promise<InteropServer> {
  const server = new grpc.Server()
  const served: Served = { name, calls: 0, cancelled: 0, metadata: new grpc.Metadata() }
  server.addService(testService, implementation(served))
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, given) =>
      error === null ? resolve(given) : reject(error),
    )
  })
  return {
    port: bound,
    served,
    drain: () => new Promise((resolve) => server.tryShutdown(() => resolve())),
    stop: () => server.forceShutdown(),
  }
}
