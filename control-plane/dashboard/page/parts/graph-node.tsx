/** A service or workload in the graph: a link to its page. */
import { healthOf } from '../model/figures.ts'
import { formatMs, formatPercent, formatRate } from '../model/format.ts'
import type { Point } from '../model/layout.ts'
import type { GraphNode } from '../model/service-graph.ts'

/** What a screen reader says of it. */
export function spokenNode({ kind, namespace, name, incoming, outgoing }: GraphNode): string {
  const figures = kind === 'service' ? incoming : outgoing
  const verb = kind === 'service' ? 'receives' : 'sends'
  return `${kind} ${name} in ${namespace}, ${verb} ${formatRate(figures.requestsPerSecond)} requests per second, success ${formatPercent(figures.successRatio)}, p99 ${formatMs(figures.p99Ms)}`
}

type Props = {
  readonly node: GraphNode
  readonly at: Point
  readonly showsNamespace: boolean
  readonly dimmed: boolean
  /** Reached by Tab; the others by arrow keys from there. */
  readonly reachable: boolean
}

export function GraphNodeCard({ node, at, showsNamespace, dimmed, reachable }: Props) {
  const figures = node.kind === 'service' ? node.incoming : node.outgoing
  return (
    <a
      class={`node ${node.kind} ${healthOf(figures)}${dimmed ? ' dimmed' : ''}`}
      href={`#/${node.id}`}
      data-id={node.id}
      draggable={false}
      tabIndex={reachable ? 0 : -1}
      aria-label={spokenNode(node)}
      style={{ left: `${at.x}px`, top: `${at.y}px` }}
    >
      <span class="name">
        {showsNamespace && <span class="namespace">{node.namespace}/</span>}
        {node.name}
      </span>
      <span class="line">
        {formatRate(figures.requestsPerSecond)}/s
        <span class="ratio">{formatPercent(figures.successRatio)}</span>
        {formatMs(figures.p99Ms)}
      </span>
    </a>
  )
}
