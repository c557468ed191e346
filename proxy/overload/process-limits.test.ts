import { expect, test } from 'vitest'
import {
  cgroupCpuLimit,
  cgroupMemoryLimit,
  collectGarbage,
  connectionsFor,
  descriptorLimit,
} from './process-limits.ts'

const v2 = '/sys/fs/cgroup/memory.max'
const v1 = '/sys/fs/cgroup/memory/memory.limit_in_bytes'
const infinity = Number.POSITIVE_INFINITY

test.each([
  { name: 'cgroup v2', files: { [v2]: '134217728\n' }, limit: 134_217_728 },
  { name: 'cgroup v2 without a limit', files: { [v2]: 'max\n' }, limit: infinity },
  { name: 'cgroup v1', files: { [v1]: '134217728\n' }, limit: 134_217_728 },
  { name: 'cgroup v1 without a limit', files: { [v1]: '9223372036854771712\n' }, limit: infinity },
  { name: 'no cgroups', files: {}, limit: infinity },
])('the memory limit of $name', ({ files, limit }) => {
  expect(cgroupMemoryLimit((file) => (files as Record<string, string>)[file])).toBe(limit)
})

const [quota, period] = ['quota', 'period'].map((name) => `/sys/fs/cgroup/cpu/cpu.cfs_${name}_us`) as [
  string,
  string,
]

test.each([
  { name: 'cgroup v2', files: { '/sys/fs/cgroup/cpu.max': '20000 100000\n' }, limit: 0.2 },
  { name: 'cgroup v2 without a limit', files: { '/sys/fs/cgroup/cpu.max': 'max 100000\n' }, limit: infinity },
  { name: 'cgroup v1', files: { [quota]: '200000\n', [period]: '100000\n' }, limit: 2 },
  { name: 'cgroup v1 without a limit', files: { [quota]: '-1\n', [period]: '100000\n' }, limit: infinity },
  { name: 'no cgroups', files: {}, limit: infinity },
])('the CPU limit of $name', ({ files, limit }) => {
  expect(cgroupCpuLimit((file) => (files as Record<string, string>)[file])).toBe(limit)
})

test.each([
  {
    text: 'Limit   Soft Limit  Hard Limit  Units\nMax open files            256                  4096                 files\n',
    limit: 256,
  },
  { text: 'Max open files            unlimited            unlimited            files\n', limit: infinity },
  { text: undefined, limit: infinity },
])('the descriptor limit is the soft one: $limit', ({ text, limit }) => {
  expect(descriptorLimit(() => text)).toBe(limit)
})

test.each([
  { descriptors: 1024, asked: undefined, max: 480 },
  { descriptors: 1024, asked: 100, max: 100 },
  { descriptors: 1024, asked: 100_000, max: 480 },
  { descriptors: 10, asked: undefined, max: 1 },
  { descriptors: infinity, asked: undefined, max: infinity },
])('$descriptors descriptors, $asked asked for: $max connections', ({ descriptors, asked, max }) => {
  expect(connectionsFor(descriptors, asked)).toBe(max)
})

test('garbage outside of the heap is given back', async () => {
  const external = (): number => process.memoryUsage().arrayBuffers
  // Held until it is counted: what nobody holds may be collected before.
  const held = Array.from({ length: 16 }, () => Buffer.allocUnsafeSlow(4_000_000))
  const before = external()
  held.length = 0
  collectGarbage()
  // V8 frees it on a thread of its own.
  await expect.poll(external).toBeLessThan(before - 16_000_000)
})
