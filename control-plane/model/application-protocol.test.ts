import { expect, test } from 'vitest'
import { httpVersionOf } from './application-protocol.ts'

test.each([
  ['', 'kubernetes.io/h2c', 'http2'],
  ['', 'grpc', 'http2'],
  ['', 'GRPC', 'http2'],
  ['', 'http2', 'http2'],
  ['', 'http', 'http1'],
  ['', 'kubernetes.io/ws', 'http1'],
  ['', 'https', undefined],
  ['', 'tcp', undefined],
  ['grpc', '', 'http2'],
  ['grpc-orders', '', 'http2'],
  ['http2-x', '', 'http2'],
  ['grpcish', '', undefined],
  ['grpc-web', '', undefined],
  ['grpc-web-x', '', undefined],
  ['http', '', undefined],
  ['', '', undefined],
])('a port named %j with appProtocol %j is %j', (name, protocol, version) => {
  expect(httpVersionOf({ name, port: 80, protocol })).toBe(version)
})

test('what a port says beats what its name is', () => {
  expect(httpVersionOf({ name: 'grpc', port: 80, protocol: 'http' })).toBe('http1')
  expect(httpVersionOf({ name: 'grpc', port: 80, protocol: 'tcp' })).toBeUndefined()
})
