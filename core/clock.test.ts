import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from './clock.ts'
import { ManualClock } from './manual-clock.ts'

describe('systemClock', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('waits the whole delay when it is longer than setTimeout can wait', () => {
    const run = vi.fn()
    systemClock.after(40 * 86_400_000, run)
    vi.advanceTimersByTime(40 * 86_400_000 - 1)
    expect(run).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(run).toHaveBeenCalledOnce()
  })

  it('does not run what was cancelled, also after the first step of a long delay', () => {
    const run = vi.fn()
    const timer = systemClock.after(40 * 86_400_000, run)
    vi.advanceTimersByTime(30 * 86_400_000)
    timer.cancel()
    vi.advanceTimersByTime(30 * 86_400_000)
    expect(run).not.toHaveBeenCalled()
  })
})

describe('ManualClock', () => {
  it('runs what falls due in order, each at its own moment, timers set meanwhile included', () => {
    const clock = new ManualClock()
    const seen: string[] = []
    clock.after(20, () => seen.push(`b@${clock.monotonicMs()}`))
    clock.after(10, () => {
      seen.push(`a@${clock.monotonicMs()}`)
      clock.after(5, () => seen.push(`c@${clock.monotonicMs()}`))
    })
    clock.advance(30)
    expect(seen).toEqual(['a@10', 'c@15', 'b@20'])
    expect(clock.monotonicMs()).toBe(30)
  })

  it('moves wall time along, and lets it jump alone', () => {
    const clock = new ManualClock(1000)
    clock.advance(5)
    expect(clock.wallMs()).toBe(1005)
    clock.setWall(9000)
    expect([clock.wallMs(), clock.monotonicMs()]).toEqual([9000, 5])
  })

  it('forgets cancelled timers', () => {
    const clock = new ManualClock()
    const run = vi.fn()
    clock.after(1, run).cancel()
    clock.advance(10)
    expect(run).not.toHaveBeenCalled()
    expect(clock.pending).toBe(0)
  })
})
