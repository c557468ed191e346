/** The line of an edge, through the places that its layout keeps free, and where on it its figures stand. Pure. */
import { type Flow, nodeHeight, nodeWidth, type Point } from './layout.ts'

/** Room for the arrow's tip. */
const tip = 5
/** How far a line that goes against the flow swings out. */
const swing = 90

export type EdgePath = { readonly d: string; readonly label: Point }

function along({ x, y }: Point, flow: Flow, distance: number): Point {
  return flow === 'right' ? { x: x + distance, y } : { x, y: y + distance }
}

function curve(from: Point, to: Point, flow: Flow): string {
  const ahead = flow === 'right' ? to.x - from.x : to.y - from.y
  const reach = ahead > 0 ? ahead / 2 : swing
  const [out, back] = [along(from, flow, reach), along(to, flow, -reach)]
  return `C${out.x},${out.y} ${back.x},${back.y} ${to.x},${to.y}`
}

/** From the end of one node to the beginning of the other; `from` and `to` are their upper left corners. */
export function edgePath(from: Point, to: Point, bends: readonly Point[], flow: Flow): EdgePath {
  const right = flow === 'right'
  const start = right
    ? { x: from.x + nodeWidth, y: from.y + nodeHeight / 2 }
    : { x: from.x + nodeWidth / 2, y: from.y + nodeHeight }
  const end = right ? { x: to.x - tip, y: to.y + nodeHeight / 2 } : { x: to.x + nodeWidth / 2, y: to.y - tip }
  const forward = right ? end.x > start.x : end.y > start.y
  const half = ((right ? nodeWidth : nodeHeight) / 2) * (forward ? 1 : -1)
  let d = `M${start.x},${start.y}`
  let last = start
  for (const bend of bends) {
    const leave = along(bend, flow, half)
    d += `${curve(last, along(bend, flow, -half), flow)}L${leave.x},${leave.y}`
    last = leave
  }
  d += curve(last, end, flow)
  // The middle of the last piece is between two layers, where no node is.
  return { d, label: { x: (last.x + end.x) / 2, y: (last.y + end.y) / 2 } }
}
