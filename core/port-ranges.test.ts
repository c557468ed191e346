import { expect, it } from 'vitest'
import { formatPortRanges, includesPort, parsePortRanges } from './port-ranges.ts'

it.each([
  ['', []],
  ['25', [{ from: 25, to: 25 }]],
  [
    '25, 4567-4568',
    [
      { from: 25, to: 25 },
      { from: 4567, to: 4568 },
    ],
  ],
  ['1-65535', [{ from: 1, to: 65_535 }]],
])('reads "%s"', (text, ranges) => expect(parsePortRanges(text)).toEqual(ranges))

it.each(['0', '65536', '5-4', '1-', '-1', 'http', '1:2', '1 2', '1-2-3', '100000'])('refuses "%s"', (text) =>
  expect(parsePortRanges(text)).toBeUndefined(),
)

it('both ends of a range belong to it', () => {
  const ranges = parsePortRanges('25,4567-4568') ?? []
  expect([24, 25, 26, 4566, 4567, 4568, 4569].filter((port) => includesPort(ranges, port))).toEqual([
    25, 4567, 4568,
  ])
})

it.each(['', '25', '25,4567-4568'])('writes "%s" as it reads it', (text) =>
  expect(formatPortRanges(parsePortRanges(text) ?? [])).toBe(text),
)
