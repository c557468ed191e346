import { expect, it } from 'vitest'
import { parsePortRanges } from './port-ranges.ts'

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
