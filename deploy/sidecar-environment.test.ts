import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { sidecarEnvironment } from './sidecar-environment.ts'

function heapLimitBytes(environment: Readonly<Record<string, string>>): number {
  const script = "process.stdout.write(String(require('node:v8').getHeapStatistics().heap_size_limit))"
  const inherited = { ...process.env, NODE_OPTIONS: '' }
  return Number(
    execFileSync(process.execPath, ['-e', script], {
      encoding: 'utf8',
      env: { ...inherited, ...environment },
    }),
  )
}

test("a Node in a sidecar's environment has a smaller young generation", () => {
  expect(heapLimitBytes(sidecarEnvironment())).toBeLessThan(heapLimitBytes({}))
})

test('the memory allocator gets one arena', () => {
  expect(sidecarEnvironment()['MALLOC_ARENA_MAX']).toBe('1')
})
