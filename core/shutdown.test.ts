import { describe, expect, it, vi } from 'vitest'
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

  it('exits 0 after the first signal, and at once on the second', async () => {
    const exit = vi.fn()
    const shutdown = new Shutdown({ log, clock: new ManualClock(), exit })
    const gate = Promise.withResolvers<void>()
    shutdown.add('slow', () => gate.promise)
    const before = { term: process.listeners('SIGTERM'), int: process.listeners('SIGINT') }
    shutdown.onSignals({ deadlineMs: 1000 })
    const signal = process.listeners('SIGTERM').find((listener) => !before.term.includes(listener))
    signal?.('SIGTERM')
    expect(exit).not.toHaveBeenCalled()
    signal?.('SIGTERM')
    expect(exit).toHaveBeenLastCalledWith(1)
    gate.resolve()
    await vi.waitFor(() => expect(exit).toHaveBeenLastCalledWith(0))
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      const kept = name === 'SIGTERM' ? before.term : before.int
      for (const listener of process.listeners(name))
        if (!kept.includes(listener)) process.off(name, listener)
    }
  })
})
