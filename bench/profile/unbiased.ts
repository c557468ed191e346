/** Lets V8's sampling see what a process does, on a machine whose CPUs are all busy. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import os from 'node:os'

/** As V8 names the thread that takes the samples. */
const samplingThread = 'v8:ProfEvntProc'

/**
 * V8 samples wall time, by a signal from another thread. Without a turn of its own a process seems to spend its waiting
 * in the call that let another one run; and a signal that comes from another CPU comes late, in the next system call. So
 * the process goes first, its threads share a CPU, and the one that takes the samples interrupts the others. Only root
 * may: false when it could not be done.
 */
export function sampleWithoutBias(pid: number, cpu: number): boolean {
  try {
    os.setPriority(pid, os.constants.priority.PRIORITY_HIGHEST)
    execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(cpu), String(pid)])
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const name = readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trim()
      if (name === samplingThread) execFileSync('chrt', ['--fifo', '--pid', '1', thread])
    }
    return true
  } catch {
    return false
  }
}
