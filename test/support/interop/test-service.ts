/** gRPC's interop service out of its .proto, as grpc-js wants it. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { MethodDefinition } from '@grpc/grpc-js'
import protobuf from 'protobufjs'

export type Payload = { readonly body: Uint8Array }
export type EchoStatus = { readonly code: number; readonly message: string }
export type SimpleRequest = {
  readonly responseSize?: number
  readonly payload?: Payload
  readonly responseStatus?: EchoStatus
}
export type SimpleResponse = { readonly payload?: Payload | null }
export type InputRequest = { readonly payload: Payload }
export type InputResponse = { readonly aggregatedPayloadSize: number }
export type OutputRequest = {
  readonly responseParameters?: readonly { readonly size: number; readonly intervalUs?: number }[]
  readonly payload?: Payload
  readonly responseStatus?: EchoStatus
}
export type OutputResponse = { readonly payload?: Payload | null }
export type Empty = Readonly<Record<string, never>>

const text = readFileSync(path.join(import.meta.dirname, 'test.proto'), 'utf8')
const { root } = protobuf.parse(text)
root.resolveAll()

function method<Q, R>(service: string, name: string): MethodDefinition<Q, R> {
  const { requestStream, responseStream, resolvedRequestType, resolvedResponseType } = root.lookupService(
    `grpc.testing.${service}`,
  ).methods[name] as protobuf.Method
  const encode = (type: protobuf.Type | null, value: unknown): Buffer =>
    Buffer.from((type as protobuf.Type).encode(value as object).finish())
  return {
    path: `/grpc.testing.${service}/${name}`,
    requestStream: requestStream === true,
    responseStream: responseStream === true,
    requestSerialize: (value) => encode(resolvedRequestType, value),
    requestDeserialize: (bytes) => (resolvedRequestType as protobuf.Type).decode(bytes) as Q,
    responseSerialize: (value) => encode(resolvedResponseType, value),
    responseDeserialize: (bytes) => (resolvedResponseType as protobuf.Type).decode(bytes) as R,
  }
}

export const testService = {
  emptyCall: method<Empty, Empty>('TestService', 'EmptyCall'),
  unaryCall: method<SimpleRequest, SimpleResponse>('TestService', 'UnaryCall'),
  streamingOutputCall: method<OutputRequest, OutputResponse>('TestService', 'StreamingOutputCall'),
  streamingInputCall: method<InputRequest, InputResponse>('TestService', 'StreamingInputCall'),
  fullDuplexCall: method<OutputRequest, OutputResponse>('TestService', 'FullDuplexCall'),
}

/** Methods that the server does not have: one of a service that it has, and one of none. */
export const unimplementedCall = method<Empty, Empty>('TestService', 'UnimplementedCall')
export const unimplementedServiceCall = method<Empty, Empty>('UnimplementedService', 'UnimplementedCall')
