import { defineConfig } from 'vitest/config'

/** What runs for as long as it is told to (WEFT_FUZZ_SECONDS): one file at a time. */
export default defineConfig({
  test: {
    name: 'fuzz',
    include: ['test/fuzz/**/*.fuzz.ts'],
    fileParallelism: false,
    testTimeout: 24 * 60 * 60 * 1000,
    hookTimeout: 30_000,
  },
})
