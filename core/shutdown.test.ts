import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createLog } from './log.ts'
import { ManualClock } from './manual-clock.ts'
import { Shutdown } from './shutdown.ts'

const log = createLog({ process: 'test', level: 'silent' })

describe('Shutdown', () => {
  it('stops in the reverse order, one after the other, and goes on after a failure', async () => {
    const shutdown = new Shutdown({ log, clock: new ManualClock() })
    const seen: string[] = []
    shutdown.add('first', async () => void seen.push('first'))
    shutdown.add('second', async () => {
      seen.push('second')
      throw new Error('failed')
    })
    shutdown.add('third', async () => {
      await Promise.resolve()
      seen.push('third')
    })
    await shutdown.run(1000)
    expect(seen).toEqual(['third', 'second', 'first'])
  })

  it('starts what is left at the deadline and names what did not end', async () => {
    const clock = new ManualClock()
    const shutdown = new Shutdown({ log, clock })
    const flush = vi.fn(async () => {})
    shutdown.add('state', flush)
    shutdown.add('listener', () => new Promise(() => {}))
    const outcome = expect(shutdown.run(1000)).rejects.toMatchObject({
      code: 'SHUTDOWN_DEADLINE',
      detail: ['listener', 'state'],
    })
    await clock.advanceAsync(1000)
    expect(flush).toHaveBeenCalledOnce()
    await clock.advanceAsync(1000)
    await outcome
  })

  it('runs once however often it is asked', async () => {
    const shutdown = new Shutdown({ log, clock: new ManualClock() })
    const stop = vi.fn(async () => {})
    shutdown.add('only', stop)
    await Promise.all([shutdown.run(10), shutdown.run(10)])
    expect(stop).toHaveBeenCalledOnce()
  })

  /** Calls what `onSignals` listens with, and takes it away again at the end of the test. */
  function signalled(shutdown: Shutdown): (signal: NodeJS.Signals) => void {
    const before = process.listeners('SIGTERM')
    shutdown.onSignals({ deadlineMs: 1000 })
    const listener = process.listeners('SIGTERM').find((candidate) => !before.includes(candidate))
    onTestFinished(() => {
      for (const name of ['SIGTERM', 'SIGINT'] as const) if (listener) process.off(name, listener)
    })
    return (signal) => listener?.call(process, signal as 'SIGTERM')
  }

  it('exits 0 when all has ended after the first signal, and 1 at once on a second', async () => {
    const exit = vi.fn()
    const clock = new ManualClock()
    const shutdown = new Shutdown({ log, clock, exit })
    const gate = Promise.withResolvers<void>()
    shutdown.add('slow', () => gate.promise)
    const signal = signalled(shutdown)
    signal('SIGTERM')
    expect(exit).not.toHaveBeenCalled()
    await clock.advanceAsync(500)
    signal('SIGTERM')
    expect(exit).toHaveBeenLastCalledWith(1)
    gate.resolve()
    await expect.poll(() => exit.mock.lastCall).toEqual([0])
  })

  it('takes what a terminal and a launcher both pass on for one signal', () => {
    const exit = vi.fn()
    const shutdown = new Shutdown({ log, clock: new ManualClock(), exit })
    shutdown.add('slow', () => new Promise(() => undefined))
    const signal = signalled(shutdown)
    signal('SIGINT')
    signal('SIGINT')
    signal('SIGTERM')
    expect(exit).not.toHaveBeenCalled()
  })
})
