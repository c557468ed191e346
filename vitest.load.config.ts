import { defineConfig } from 'vitest/config'
import { patience } from './test/support/patience.ts'

/** What needs more seconds, connections or bytes than `npm test` should: one file at a time, real processes. */
export default defineConfig({
  test: {
    name: 'load',
    globalSetup: 'test/support/compile-cache.ts',
    include: ['test/load/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    expect: patience,
    hookTimeout: 60_000,
  },
})
