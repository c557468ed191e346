/** What the machine lets this process have: memory by its cgroup, file descriptors by its resource limits. */
import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** cgroup v2, then v1; in a container its own group is at the root. */
const memoryLimitFiles = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes']
/** cgroup v1 writes "no limit" as a number near 2^63. */
const noLimitBytes = 2 ** 60
/** Listeners, admin, control plane, files: what a sidecar has open beside the connections that it carries. */
const ownDescriptors = 64

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // Not Linux, or not this version of cgroups.
    return undefined
  }
}

/** The memory limit of this process's cgroup in bytes; Infinity when there is none. */
export function cgroupMemoryLimit(readText: (file: string) => string | undefined = read): number {
  for (const file of memoryLimitFiles) {
    const text = readText(file)?.trim()
    if (text === undefined) continue
    const bytes = /^\d+$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY
    return bytes > noLimitBytes ? Number.POSITIVE_INFINITY : bytes
  }
  return Number.POSITIVE_INFINITY
}

/** How many CPUs this process's cgroup gives it; Infinity when there is no limit. */
export function cgroupCpuLimit(readText: (file: string) => string | undefined = read): number {
  const [quota, period] = readText('/sys/fs/cgroup/cpu.max')?.trim().split(' ') ?? [
    readText('/sys/fs/cgroup/cpu/cpu.cfs_quota_us'),
    readText('/sys/fs/cgroup/cpu/cpu.cfs_period_us'),
  ]
  const cpus = Number(quota) / Number(period)
  // `max`, or -1 in cgroup v1: no limit.
  return cpus > 0 ? cpus : Number.POSITIVE_INFINITY
}

/** The soft limit on open files; Infinity when there is none or it cannot be told. */
export function descriptorLimit(readText: (file: string) => string | undefined = read): number {
  const soft = /^Max open files\s+(\d+)/m.exec(readText('/proc/self/limits') ?? '')?.[1]
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
}

/**
 * How many client connections fit: each may need one to an endpoint too, so less than half of the descriptors, and the
 * kernel never has to refuse. `asked` can only lower it.
 */
export function connectionsFor(descriptors: number, asked: number | undefined): number {
  const fitting = Math.max(1, Math.floor((descriptors - ownDescriptors) / 2))
  return asked === undefined ? fitting : Math.min(asked, fitting)
}

/** Collects all garbage now. V8 offers that behind a flag, which may be set while running. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc')
  collect()
}
