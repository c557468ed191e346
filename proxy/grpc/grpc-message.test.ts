import { expect, test } from 'vitest'
import { encodeGrpcMessage } from './grpc-message.ts'

test.each([
  ['plain text, "quoted" ~', 'plain text, "quoted" ~'],
  ['100 %', '100 %25'],
  ['a\r\nb\t', 'a%0D%0Ab%09'],
  ['☺ 😈', '%E2%98%BA %F0%9F%98%88'],
  ['\u007f', '%7F'],
  ['\ud800', '%EF%BF%BD'],
])('%j', (text, encoded) => {
  expect(encodeGrpcMessage(text)).toBe(encoded)
})
