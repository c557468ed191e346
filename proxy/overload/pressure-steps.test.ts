import { describe, expect, test } from 'vitest'
import { PressureSteps } from './pressure-steps.ts'

const thresholds = { close: { enter: 50, leave: 40 }, shed: { enter: 100, leave: 80 } }

/** Feeds one sample every 250 ms; returns the step after each. */
function run(samples: readonly number[], steps = new PressureSteps(thresholds)): number[] {
  return samples.map((value, i) => steps.observe(value, i * 250))
}

const repeat = (value: number, times: number): number[] => Array.from({ length: times }, () => value)

describe('going up', () => {
  test.each([
    { name: 'stays at 0 below all thresholds', samples: [49, 49, 49], steps: [0, 0, 0] },
    { name: 'enters a step at the second sample that asks for it', samples: [50, 50], steps: [0, 1] },
    { name: 'goes to 2 at once when two samples ask for that', samples: [100, 100], steps: [0, 2] },
    { name: 'takes the lower of two samples', samples: [100, 60, 100], steps: [0, 1, 1] },
    { name: 'takes one long stall for no overload', samples: [2000, 1, 1, 1], steps: [0, 0, 0, 0] },
    {
      name: 'takes stalls that never follow each other for no overload',
      samples: [200, 1, 200, 1],
      steps: [0, 0, 0, 0],
    },
  ])('$name', ({ samples, steps }) => {
    expect(run(samples)).toEqual(steps)
  })
})

describe('coming down', () => {
  const overloaded = (): PressureSteps => {
    const steps = new PressureSteps(thresholds)
    run([100, 100], steps)
    expect(steps.step).toBe(2)
    return steps
  }

  test('a load between leaving and entering changes nothing, however long', () => {
    expect(run(repeat(85, 100), overloaded()).at(-1)).toBe(2)
  })

  test('calm of 2 s leaves one step, and 2 s more the next', () => {
    // Samples 0 to 8 span 2 s.
    expect(run(repeat(10, 17), overloaded())).toEqual([...repeat(2, 8), ...repeat(1, 8), 0])
  })

  test('calm for step 2 that is none for step 1 stops there', () => {
    expect(run(repeat(60, 100), overloaded()).at(-1)).toBe(1)
  })

  test('one sample above begins the calm anew', () => {
    expect(run([...repeat(10, 7), 90, ...repeat(10, 8)], overloaded())).toEqual(repeat(2, 16))
  })
})
