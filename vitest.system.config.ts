import { defineConfig } from 'vitest/config'
import { patience } from './test/support/patience.ts'

/** What needs root and the machine's own programs: real network namespaces, iptables, nginx, redis. */
export default defineConfig({
  test: {
    name: 'system',
    include: ['test/system/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    expect: patience,
    hookTimeout: 120_000,
  },
})
