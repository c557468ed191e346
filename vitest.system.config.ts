import { defineConfig } from 'vitest/config'

/** What needs root and the machine's own programs: real network namespaces, iptables, nginx, redis. */
export default defineConfig({
  test: {
    name: 'system',
    include: ['test/system/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
