import { expect, test } from 'vitest'
import { edgePath } from './edge-path.ts'
import { nodeHeight, nodeWidth } from './layout.ts'

test('a line leaves at the right of its node and ends before the left of the other', () => {
  const { d, label } = edgePath({ x: 0, y: 0 }, { x: 500, y: 100 }, [], 'right')
  expect(d.startsWith(`M${nodeWidth},${nodeHeight / 2}C`)).toBe(true)
  expect(d.endsWith(` 495,${100 + nodeHeight / 2}`)).toBe(true)
  expect(label.x).toBeGreaterThan(nodeWidth)
  expect(label.x).toBeLessThan(500)
})

test('a line goes straight through the places that it has between', () => {
  const { d } = edgePath({ x: 0, y: 0 }, { x: 900, y: 0 }, [{ x: 500, y: 300 }], 'right')
  expect(d).toContain(`${500 - nodeWidth / 2},300L${500 + nodeWidth / 2},300`)
})

test('in a narrow window a line leaves below', () => {
  const { d } = edgePath({ x: 0, y: 0 }, { x: 0, y: 200 }, [], 'down')
  expect(d.startsWith(`M${nodeWidth / 2},${nodeHeight}C`)).toBe(true)
})
