import { expect, test } from 'vitest'
import {
  cpuNs,
  isInstalled,
  memoryOf,
  startProcess,
  stopProcess,
  threadCpuNs,
  until,
  versionOf,
} from './process.ts'

test('CPU time grows with what is done, and all threads have at least what the main one has', () => {
  const before = threadCpuNs(process.pid)
  for (let i = 0, x = 1; i < 5e6; i++) x = (x * 48_271) % 2_147_483_647
  const after = threadCpuNs(process.pid)
  expect(after - before).toBeGreaterThan(1e6)
  expect(cpuNs(process.pid)).toBeGreaterThanOrEqual(after)
})

test('memory is what the kernel says, in bytes, and what it cannot share is a part of it', () => {
  const { rss, anonymous } = memoryOf(process.pid)
  expect(rss / process.memoryUsage.rss()).toBeCloseTo(1, 0)
  expect(anonymous).toBeGreaterThan(1e6)
  expect(anonymous).toBeLessThan(rss)
})

test('waiting for a process that has ended ends too, and says how it did', async () => {
  const child = startProcess('sh', ['-c', 'exit 3'])
  await expect(until(() => Promise.resolve(false), 'it', child)).rejects.toThrow('it ended with status 3')
  await stopProcess(child)
})

test('programs are found, and asked for their version', () => {
  expect(isInstalled('sh')).toBe(true)
  expect(isInstalled('no-such-program')).toBe(false)
  expect(versionOf('sh', ['-c', 'echo thing 1.2 >&2'], /thing ([0-9.]+)/)).toBe('1.2')
})
