import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { patience } from './test/support/patience.ts'

/** Files leave nothing behind, so they share a process: starting one, and loading this tree, costs more than most of them. */
const shared = { isolate: false, testTimeout: 60_000, expect: patience } as const

export default defineConfig({
  test: {
    globalSetup: 'test/support/compile-cache.ts',
    // Many tests wait for other processes, so that two workers are never too many.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Node runs the tree as it is, and so do the tests: what Vite makes of it is another program, and takes a fifth longer.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{api,core,proxy,control-plane,injector,cli,bench,deploy,docs}/**/*.test.ts'],
          ...shared,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/{integration,conformance,fuzz}/**/*.test.ts'],
          ...shared,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
