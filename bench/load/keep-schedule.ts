import type { Worker } from 'node:worker_threads'
import type { Pace } from './pacer-thread.ts'
import { Schedule } from './schedule.ts'
import { sharedNowMs } from './shared-clock.ts'
import type { Tally } from './tally.ts'

const leadInMs = 20
/** What is still missing this long after the last request was due counts as an error. */
export const graceMs = 2_000

/**
 * Tells `sendDue` at each moment of an even schedule, takes down how late that was, and resolves when all requests have
 * come to an end. `pacer` is a pacer-thread. Gives how many there were.
 */
export async function keepSchedule(
  pacer: Worker,
  { ratePerSecond, seconds }: { readonly ratePerSecond: number; readonly seconds: number },
  tally: Tally,
  sendDue: (dueMs: number) => void,
): Promise<number> {
  const count = Math.round(ratePerSecond * seconds)
  const startMs = sharedNowMs() + leadInMs
  const schedule = new Schedule(startMs, ratePerSecond, count)
  const tick = (): void => {
    const nowMs = sharedNowMs()
    for (let dueMs = schedule.take(nowMs); dueMs !== undefined; dueMs = schedule.take(nowMs)) {
      tally.begin(dueMs, nowMs)
      sendDue(dueMs)
    }
  }
  pacer.on('message', tick)
  const pace: Pace = { startMs, intervalMs: 1000 / ratePerSecond, count }
  pacer.postMessage(pace)
  await tally.until(count, count / (ratePerSecond / 1000) + leadInMs + graceMs)
  pacer.off('message', tick)
  return count
}
