import { defineConfig } from 'vitest/config'

/** What needs more seconds, connections or bytes than `npm test` should: one file at a time, real processes. */
export default defineConfig({
  test: {
    name: 'load',
    include: ['test/load/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 30_000,
  },
})
