import { expect, test } from 'vitest'
import { certificateState } from './certificate-age.ts'
import { sidecar } from './test-mesh.ts'

test.each([
  [null, 'none'],
  [10_000_000, 'good'],
  [4_000_000, 'ending'],
  [1_000_000, 'ended'],
] as const)('a certificate that ends at %s is %s', (certificateNotAfterMs, state) => {
  expect(certificateState({ ...sidecar('web'), certificateNotAfterMs }, 1_000_000)).toBe(state)
})
