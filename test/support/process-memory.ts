/** What a process takes, by the kernel's account. */
import { readFileSync } from 'node:fs'

/** In bytes: what is resident now, or the most that ever was. */
export function processMemory(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024
}
