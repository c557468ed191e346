import { expect, test } from 'vitest'
import {
  grpcStatusOf,
  grpcStatusOfReset,
  httpStatusOf,
  isGrpcFailure,
  parseGrpcStatus,
} from './status-codes.ts'

test.each([
  ['0', 0],
  ['14', 14],
  ['16', 16],
  ['17', 2],
  ['-1', 2],
  ['00', 2],
  ['', 2],
  ['1e1', 2],
])('grpc-status %j is %d', (text, status) => {
  expect(parseGrpcStatus(text)).toBe(status)
})

test('failures are those of the server', () => {
  const failures = Array.from({ length: 17 }, (_, i) => i).filter(isGrpcFailure)
  expect(failures).toEqual([2, 4, 7, 13, 14, 15])
})

test('a status counts as what Envoy makes of it', () => {
  expect([0, 1, 3, 4, 5, 8, 12, 13, 14, 99].map(httpStatusOf)).toEqual([
    200, 499, 400, 504, 404, 429, 501, 500, 503, 500,
  ])
})

test('an answer in HTTP is told as gRPC says', () => {
  expect([400, 401, 403, 404, 429, 431, 500, 502, 503, 504].map(grpcStatusOf)).toEqual([
    13, 16, 7, 12, 14, 13, 2, 14, 14, 14,
  ])
})

test('a reset is told as gRPC says', () => {
  const codes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 99]
  expect(codes.map(grpcStatusOfReset)).toEqual([13, 13, 13, 13, 13, 13, 13, 14, 1, 13, 13, 8, 7, 13, 13])
})
