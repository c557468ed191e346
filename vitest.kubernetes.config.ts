import { defineConfig } from 'vitest/config'
import { patience } from './test/support/patience.ts'

/** What is shown against a real Kubernetes API server; needs root, Go and kubectl. */
export default defineConfig({
  test: {
    name: 'kubernetes',
    include: ['test/kubernetes/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    expect: patience,
    hookTimeout: 180_000,
  },
})
