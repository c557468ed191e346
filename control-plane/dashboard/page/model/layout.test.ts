import { expect, test } from 'vitest'
import { layOut, nodeHeight, nodeWidth, type Point } from './layout.ts'

function edges(...pairs: readonly string[]) {
  return pairs.map((pair) => {
    const [from = '', to = ''] = pair.split('>')
    return { id: pair, from, to }
  })
}

function overlaps(a: Point, b: Point): boolean {
  return Math.abs(a.x - b.x) < nodeWidth && Math.abs(a.y - b.y) < nodeHeight
}

function overlapping(nodes: ReadonlyMap<string, Point>): readonly string[] {
  const all = [...nodes]
  return all.flatMap(([id, at], i) =>
    all.slice(i + 1).flatMap(([other, there]) => (overlaps(at, there) ? [`${id} ${other}`] : [])),
  )
}

test('callers stand before what they call: to the left, or above in a narrow window', () => {
  const right = layOut(['c', 'b', 'a'], edges('a>b', 'b>c', 'a>c'), 'right').nodes
  expect(right.get('a')!.x).toBeLessThan(right.get('b')!.x)
  expect(right.get('b')!.x).toBeLessThan(right.get('c')!.x)
  const down = layOut(['c', 'b', 'a'], edges('a>b', 'b>c', 'a>c'), 'down').nodes
  expect(down.get('a')!.y).toBeLessThan(down.get('b')!.y)
  expect(down.get('b')!.y).toBeLessThan(down.get('c')!.y)
})

test('an edge that passes a layer has a place of its own there, away from the node', () => {
  const { nodes, bends } = layOut(['a', 'b', 'c'], edges('a>b', 'b>c', 'a>c'), 'right')
  const [bend] = bends.get('a>c') ?? []
  expect(bend).toBeDefined()
  expect(Math.abs(bend!.y - (nodes.get('b')!.y + nodeHeight / 2))).toBeGreaterThan(nodeHeight / 2)
})

test('circles, calls to oneself and nodes without edges are laid out too', () => {
  const { nodes, width, height } = layOut(['a', 'b', 'c', 'd'], edges('a>b', 'b>a', 'c>c'), 'right')
  expect(overlapping(nodes)).toEqual([])
  expect([...nodes.values()].every(({ x, y }) => x >= 0 && y >= 0 && x < width && y < height)).toBe(true)
})

test('nothing is a sheet of no size', () => {
  expect(layOut([], [], 'right')).toMatchObject({ width: 0, height: 0 })
})

test('200 nodes and 1,000 edges are laid out without overlap on a sheet no more than three times as wide as high', () => {
  const ids = Array.from({ length: 200 }, (_, i) => `n${i}`)
  const many = Array.from({ length: 1_000 }, (_, i) => {
    const from = (i * 7) % 160
    return { id: `e${i}`, from: `n${from}`, to: `n${Math.floor(from / 40) * 40 + 40 + ((i * 13) % 40)}` }
  })
  const { nodes, width, height } = layOut(ids, many, 'right')
  expect(overlapping(nodes)).toEqual([])
  expect(width / height).toBeLessThan(3)
  expect(width / height).toBeGreaterThan(1)
})

test('the same graph is always laid out alike', () => {
  const layout = () => layOut(['a', 'b', 'c', 'd'], edges('a>b', 'a>c', 'c>d', 'b>d'), 'right')
  expect(layout()).toEqual(layout())
})
