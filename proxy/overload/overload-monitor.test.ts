import { describe, expect, test } from 'vitest'
import type { Clock } from '../../core/clock.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { Admission } from './admission.ts'
import { type OverloadChange, OverloadMonitor } from './overload-monitor.ts'

/** A clock on which every timer comes `lateMs` late, as it does where the event loop is busy. */
class BusyClock extends ManualClock {
  lateMs = 0

  override after(delayMs: number, run: () => void): ReturnType<Clock['after']> {
    return super.after(delayMs + this.lateMs, run)
  }
}

type Machine = {
  readonly clock: BusyClock
  readonly admission: Admission
  readonly monitor: OverloadMonitor
  readonly changes: readonly OverloadChange[]
  readonly reclaims: () => number
  memoryBytes: number
  cpuShare: number
}

function start(settings: { readonly shedLagMs?: number; readonly memoryLimitBytes?: number } = {}): Machine {
  const clock = new BusyClock()
  const admission = new Admission()
  const changes: OverloadChange[] = []
  let reclaims = 0
  const machine = {
    clock,
    admission,
    changes,
    reclaims: () => reclaims,
    memoryBytes: 0,
    cpuShare: 1,
  }
  const monitor = new OverloadMonitor({
    clock,
    admission,
    shedLagMs: 1000,
    cpuShare: () => machine.cpuShare,
    memoryLimitBytes: Number.POSITIVE_INFINITY,
    memoryBytes: () => machine.memoryBytes,
    reclaim: () => reclaims++,
    onChange: (change) => changes.push(change),
    ...settings,
  })
  monitor.start()
  // One timer was set in time.
  clock.advance(250)
  return Object.assign(machine, { monitor })
}

const seconds = (clock: ManualClock, count: number): void => clock.advance(count * 1000)

describe('a late event loop', () => {
  test.each([
    { lateMs: 100, shedding: false, closesPlain: false },
    { lateMs: 600, shedding: false, closesPlain: true },
    { lateMs: 1100, shedding: true, closesPlain: true },
  ])('$lateMs ms: sheds $shedding, closes $closesPlain, and never mesh TLS', (row) => {
    const { clock, admission, monitor } = start()
    clock.lateMs = row.lateMs
    seconds(clock, 10)
    expect(admission.shedding).toBe(row.shedding)
    expect(admission.closes(false)).toBe(row.closesPlain)
    expect(admission.closes(true)).toBe(false)
    expect(monitor.lagMs).toBe(row.lateMs)
  })

  test('is over some seconds after it is on time again, one step at a time, each told once', () => {
    const { clock, admission, changes } = start()
    clock.lateMs = 1100
    seconds(clock, 10)
    clock.lateMs = 0
    seconds(clock, 10)
    expect(admission.shedding).toBe(false)
    expect(admission.closing).toBe(false)
    expect(changes.map(({ resource, step }) => `${resource} ${step}`)).toEqual([
      'event loop 2',
      'event loop 1',
      'event loop 0',
    ])
  })

  // The share of 3.25 s that it worked, in which it would have been on time with 0.25 s.
  test.each([
    { cpuShare: 0.2, shedding: false, closing: false },
    { cpuShare: 0.3, shedding: false, closing: true },
    { cpuShare: 0.38, shedding: false, closing: true },
    { cpuShare: 0.39, shedding: true, closing: true },
  ])('counts what it worked itself, and not what the machine kept it from running: $cpuShare', (row) => {
    const machine = start()
    machine.cpuShare = row.cpuShare
    machine.clock.lateMs = 3000
    seconds(machine.clock, 300)
    expect(machine.admission.shedding).toBe(row.shedding)
    expect(machine.admission.closing).toBe(row.closing)
    expect(machine.monitor.lagMs).toBe(3000)
  })

  test('is no overload beside a neighbour that takes half of the CPU', () => {
    const machine = start()
    machine.cpuShare = 0.5
    machine.clock.lateMs = 1100
    seconds(machine.clock, 300)
    expect(machine.admission.shedding).toBe(false)
    expect(machine.admission.closing).toBe(false)
  })

  test('changes nothing where it is set to never', () => {
    const { clock, admission } = start({ shedLagMs: 0 })
    clock.lateMs = 60_000
    seconds(clock, 300)
    expect(admission.shedding).toBe(false)
    expect(admission.closing).toBe(false)
  })
})

describe('memory that runs short', () => {
  test.each([
    { bytes: 910, shedding: false, closesMesh: false },
    { bytes: 930, shedding: false, closesMesh: true },
    { bytes: 960, shedding: true, closesMesh: true },
  ])('$bytes of 1000: sheds $shedding, closes mesh TLS too $closesMesh', (row) => {
    const machine = start({ memoryLimitBytes: 1000 })
    machine.memoryBytes = row.bytes
    seconds(machine.clock, 1)
    expect(machine.admission.shedding).toBe(row.shedding)
    expect(machine.admission.closes(true)).toBe(row.closesMesh)
  })

  test('is given back at once and then every 10 s while it lasts', () => {
    const machine = start({ memoryLimitBytes: 1000 })
    machine.memoryBytes = 930
    seconds(machine.clock, 1)
    expect(machine.reclaims()).toBe(1)
    seconds(machine.clock, 9)
    expect(machine.reclaims()).toBe(1)
    seconds(machine.clock, 2)
    expect(machine.reclaims()).toBe(2)
    machine.memoryBytes = 100
    seconds(machine.clock, 60)
    expect(machine.reclaims()).toBe(2)
    expect(machine.admission.closing).toBe(false)
  })

  test('is not watched where no limit is known', () => {
    const machine = start()
    machine.memoryBytes = Number.MAX_SAFE_INTEGER
    seconds(machine.clock, 10)
    expect(machine.admission.shedding).toBe(false)
    expect(machine.monitor.memoryShare).toBe(0)
  })

  test('keeps its say when the event loop is on time again', () => {
    const machine = start({ memoryLimitBytes: 1000 })
    machine.memoryBytes = 960
    machine.clock.lateMs = 1100
    seconds(machine.clock, 10)
    machine.clock.lateMs = 0
    seconds(machine.clock, 20)
    expect(machine.monitor.lagStep).toBe(0)
    expect(machine.admission.shedding).toBe(true)
  })
})

test('counts only the connections that it ends', () => {
  const admission = new Admission()
  admission.closes(false)
  admission.set({ shedding: false, closing: 'plain' })
  admission.closes(true)
  admission.closes(false)
  expect(admission.closed).toBe(1)
})
