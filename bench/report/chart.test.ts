import { expect, test } from 'vitest'
import { barChart, escapeHtml, formatUs, latencyChart, ninesOf, ticks } from './chart.ts'

const numbersOf = (svg: string, attribute: string): number[] =>
  [...svg.matchAll(new RegExp(`${attribute}="(-?[0-9.]+)"`, 'g'))].map(([, value]) => Number(value))

test.each([
  [17.4, [0, 5, 10, 15, 20]],
  [0.9, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [1409, [0, 500, 1000, 1500]],
])('the axis to %s has round marks from zero to beyond it', (highest, marks) => {
  expect(ticks(highest)).toEqual(marks)
})

test('an axis without a value is no endless one', () => {
  expect(ticks(0)).toEqual([0, 1])
  expect(ticks(Number.NaN)).toEqual([0, 1])
})

test('bars begin at zero and are as long as their medians, and nothing leaves the plot', () => {
  const bar = (median: number) => ({
    label: `<b>${median}`,
    value: { lower: median * 0.9, median, upper: median * 1.1 },
    note: `${median} (1.00 x)`,
    ours: median === 10,
  })
  const svg = barChart('cost', [bar(10), bar(20), bar(100)])
  const [first, second, third] = numbersOf(svg, 'width') as [number, number, number]
  expect(second / first).toBeCloseTo(2, 1)
  expect(third / first).toBeCloseTo(10, 1)
  expect(Math.max(...numbersOf(svg, 'x'))).toBeLessThan(720 - 80)
  expect(svg).toContain('&lt;b&gt;10')
  expect(svg.match(/class="bar ours"/g)).toHaveLength(1)
})

test('each nine takes the same room, and slower is higher', () => {
  expect(ninesOf(99) - ninesOf(90)).toBeCloseTo(ninesOf(99.9) - ninesOf(99))
  const points = (factor: number) =>
    [0, 50, 90, 99].map((percentile) => ({ percentile, us: factor * (100 + percentile) }))
  const svg = latencyChart('latency', [
    { points: points(1), colour: 0, ours: false },
    { points: points(10), colour: 1, ours: true },
  ])
  const [fast, slow] = [...svg.matchAll(/d="M([^"]+)" class="line/g)].map(([, path]) =>
    (path as string).split('L').map((pair) => pair.split(' ').map(Number)),
  ) as [number[][], number[][]]
  expect(fast.map(([x]) => x)).toEqual(slow.map(([x]) => x))
  fast.forEach(([, y], i) => expect(y).toBeGreaterThan((slow[i] as number[])[1] as number))
  for (const [x, y] of [...fast, ...slow] as [number, number][]) {
    expect(x).toBeGreaterThanOrEqual(64)
    expect(x).toBeLessThanOrEqual(704)
    expect(y).toBeGreaterThanOrEqual(0)
    expect(y).toBeLessThanOrEqual(276)
  }
})

test('texts are no markup, and times have the unit that suits them', () => {
  expect(escapeHtml('<a href="x">&')).toBe('&lt;a href=&quot;x&quot;&gt;&amp;')
  expect([formatUs(20), formatUs(500), formatUs(2000), formatUs(200_000)]).toEqual([
    '20 us',
    '500 us',
    '2 ms',
    '200 ms',
  ])
})
