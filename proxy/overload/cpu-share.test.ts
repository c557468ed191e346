import { expect, test } from 'vitest'
import { cpuShareOfThread } from './cpu-share.ts'

/** Until this thread has run for so long, whatever else the machine does. */
function work(ms: number): void {
  const { user, system } = process.threadCpuUsage()
  const usedMs = (): number => {
    const now = process.threadCpuUsage()
    return (now.user - user + now.system - system) / 1000
  }
  while (usedMs() < ms);
}

test('a thread that works takes its share, of a limit all the more; one that waits takes next to none', () => {
  const [whole, limited] = [cpuShareOfThread(Number.POSITIVE_INFINITY), cpuShareOfThread(0.1)]
  const begunMs = performance.now()
  work(50)
  const share = 50 / (performance.now() - begunMs)
  expect(whole()).toBeGreaterThan(share * 0.9)
  expect(limited()).toBeGreaterThan(share * 9)
  // The thread itself: an event loop that waits may find other things to do.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
  expect(whole()).toBeLessThan(0.5)
})
