/** The machine that a run is made on, and how much of it was taken away meanwhile. */
import { readFileSync } from 'node:fs'
import os from 'node:os'

export type Machine = {
  readonly cores: number
  readonly cpuModel: string
  readonly kernel: string
  readonly memoryMb: number
  /** Over the last minute. Before a run it is what others do here: steal does not tell of them. */
  readonly load: number
}

export function readMachine(): Machine {
  const cpus = os.cpus()
  return {
    cores: cpus.length,
    cpuModel: cpus[0]?.model.trim() ?? 'unknown',
    kernel: os.release(),
    memoryMb: Math.round(os.totalmem() / 2 ** 20),
    load: os.loadavg()[0] ?? 0,
  }
}

/** Ticks since boot, of all CPUs: the first line of /proc/stat. */
export type CpuTicks = { readonly total: number; readonly steal: number }

/** user nice system idle iowait irq softirq steal; guest times are part of user and nice. */
export function parseCpuTicks(stat: string): CpuTicks {
  const ticks = stat.slice(0, stat.indexOf('\n')).trim().split(/ +/).slice(1, 9).map(Number)
  return { total: ticks.reduce((sum, value) => sum + value, 0), steal: ticks[7] ?? 0 }
}

/** Tells, each time it is called, what share of the CPU time was stolen since the last time. */
export function stealMeter(read = () => readFileSync('/proc/stat', 'utf8')): () => number {
  let last = parseCpuTicks(read())
  return () => {
    const now = parseCpuTicks(read())
    const { total, steal } = last
    last = now
    return now.total === total ? 0 : (now.steal - steal) / (now.total - total)
  }
}
