import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

const nodes = new Map([
  ['a', { x: 0, y: 0 }],
  ['b', { x: 300, y: -40 }],
  ['c', { x: 300, y: 200 }],
  ['d', { x: 600, y: 0 }],
])

test.each([
  ['a', 'right', 'b'],
  ['b', 'down', 'c'],
  ['d', 'left', 'b'],
  ['c', 'up', 'b'],
  ['a', 'left', undefined],
  ['gone', 'right', undefined],
] as const)('from %s the key %s leads to %s', (from, direction, to) => {
  expect(nearest(nodes, from, direction)).toBe(to)
})
