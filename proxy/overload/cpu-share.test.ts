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
  const begunMs = performance.now()
  const [whole, limited] = [cpuShareOfThread(Number.POSITIVE_INFINITY), cpuShareOfThread(0.1)]
  work(50)
  const told = [whole(), limited()]
  // Of all the time that there was, as others may have had some of it.
  const leastShare = 50 / (performance.now() - begunMs)
  expect(told[0]).toBeGreaterThan(leastShare * 0.99)
  expect(told[1]).toBeGreaterThan(leastShare * 9.9)
  // The thread itself: an event loop that waits may find other things to do.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
  expect(whole()).toBeLessThan(0.5)
})
