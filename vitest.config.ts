import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { patience } from './test/support/patience.ts'

export default defineConfig({
  test: {
    globalSetup: 'test/support/compile-cache.ts',
    // Many tests wait for other processes, so that two workers are never too many.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{api,core,proxy,control-plane,injector,cli,bench,deploy,docs}/**/*.test.ts'],
          // For a machine that does other things too.
          testTimeout: 60_000,
          expect: patience,
          // Files that leave nothing behind may share a process: starting one costs more than most of them.
          isolate: false,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/{integration,conformance,fuzz}/**/*.test.ts'],
          testTimeout: 60_000,
          expect: patience,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
