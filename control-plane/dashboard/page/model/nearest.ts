/** Which node an arrow key leads to. Pure. */
import type { Point } from './layout.ts'

export type Direction = 'left' | 'right' | 'up' | 'down'

/** How much worse a step aside is than one ahead. */
const asideCost = 2.5

/** The nearest of the others in this direction; undefined: there is none. */
export function nearest(
  nodes: ReadonlyMap<string, Point>,
  from: string,
  direction: Direction,
): string | undefined {
  const start = nodes.get(from)
  if (start === undefined) return undefined
  let best: { readonly id: string; readonly cost: number } | undefined
  for (const [id, { x, y }] of nodes) {
    const [dx, dy] = [x - start.x, y - start.y]
    const ahead = { left: -dx, right: dx, up: -dy, down: dy }[direction]
    const aside = Math.abs(direction === 'left' || direction === 'right' ? dy : dx)
    if (ahead <= 0) continue
    const cost = ahead + asideCost * aside
    if (best === undefined || cost < best.cost) best = { id, cost }
  }
  return best?.id
}
