import { expect, test } from 'vitest'
import { parseBytes } from './bytes.ts'

test.each([
  ['0', 0],
  ['512', 512],
  ['64Ki', 65_536],
  ['128Mi', 134_217_728],
  ['1Gi', 1_073_741_824],
])('%s is %i bytes', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes)
})

test.each(['', 'Mi', '-1', '1.5Gi', '10MB', '1mi', ' 1Mi', '999999999999Gi'])(
  '"%s" is not a size',
  (text) => {
    expect(parseBytes(text)).toBeUndefined()
  },
)
