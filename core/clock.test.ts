import { once } from 'node:events'
import net from 'node:net'
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

describe('a deadline of the systemClock', () => {
  it('has not passed for what came before a late event loop could look at it', async () => {
    const server = net.createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
    const late = vi.fn()
    const timer = systemClock.deadline(5, late)
    const connected = once(socket, 'connect').then(() => timer.cancel())
    // The kernel has answered by the time that the loop goes on.
    for (const startedMs = performance.now(); performance.now() - startedMs < 20; );
    await connected
    await new Promise((resolve) => setImmediate(resolve))
    expect(late).not.toHaveBeenCalled()
    socket.destroy()
    server.close()
  })

  it('passes where nothing came', async () => {
    await new Promise<void>((resolve) => {
      const keptAlive = setTimeout(() => undefined, 10_000)
      systemClock.deadline(1, () => {
        clearTimeout(keptAlive)
        resolve()
      })
    })
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
