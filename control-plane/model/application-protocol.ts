/** Which HTTP an application speaks on a Service's port, where the Service says so. Pure. */
import type { ServicePort } from './objects.ts'

export type HttpVersion = 'http1' | 'http2'

/** Values of `appProtocol`: Kubernetes' own, and those that Istio reads. */
const ofProtocol: ReadonlyMap<string, HttpVersion> = new Map([
  ['kubernetes.io/h2c', 'http2'],
  ['http2', 'http2'],
  ['grpc', 'http2'],
  ['kubernetes.io/ws', 'http1'],
  ['http', 'http1'],
])

/** As Istio reads names: `grpc`, `grpc-orders`; grpc-web is HTTP/1.1 to whoever serves it. */
const http2Name = /^(?:grpc(?!-web)|http2)(?:-|$)/

/** Undefined: nothing is said, and each request is passed on in the version that it came in. */
export function httpVersionOf({ name, protocol }: ServicePort): HttpVersion | undefined {
  if (protocol !== '') return ofProtocol.get(protocol.toLowerCase())
  return http2Name.test(name) ? 'http2' : undefined
}
