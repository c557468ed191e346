import { defineConfig } from 'vitest/config'
import { patience } from './test/support/patience.ts'

/** What runs for as long as it is told to (WEFT_FUZZ_SECONDS); two files at a time, since each has one core at most. */
export default defineConfig({
  test: {
    name: 'fuzz',
    include: ['test/fuzz/**/*.fuzz.ts'],
    maxWorkers: 2,
    testTimeout: 24 * 60 * 60 * 1000,
    expect: patience,
    hookTimeout: 30_000,
  },
})
