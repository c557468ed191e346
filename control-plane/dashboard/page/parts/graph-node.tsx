/** A service or workload in the graph: a link to its page. */
import { healthOf } from '../model/figures.ts'
import { formatMs, formatPercent, formatRate } from '../model/format.ts'
import type { Point } from '../model/layout.ts'
import type { GraphNode } from '../model/service-graph.ts'

type Props = {
  readonly node: GraphNode
  readonly at: Point
  readonly showsNamespace: boolean
  readonly dimmed: boolean
  /** Reached by Tab; the others by arrow keys from there. */
  readonly reachable: boolean
}

/** Between the figures, for who cannot see what each of them is. */
function Spoken({ text }: { readonly text: string }) {
  return <span class="hidden">{text}</span>
}

export function GraphNodeCard({ node, at, showsNamespace, dimmed, reachable }: Props) {
  const isService = node.kind === 'service'
  const figures = isService ? node.incoming : node.outgoing
  return (
    <a
      class={`node ${node.kind} ${healthOf(figures)}${dimmed ? ' dimmed' : ''}`}
      href={`#/${node.id}`}
      data-id={node.id}
      draggable={false}
      tabIndex={reachable ? 0 : -1}
      style={{ left: `${at.x}px`, top: `${at.y}px` }}
    >
      <span class="name">
        {showsNamespace && <span class="namespace">{node.namespace}/</span>}
        {node.name}
        <Spoken text={`${node.kind} in ${node.namespace},`} />
      </span>
      <span class="line">
        <Spoken text={isService ? 'receives ' : 'sends '} />
        {formatRate(figures.requestsPerSecond)}/s
        <Spoken text=" requests: success " />
        <span class="ratio">{formatPercent(figures.successRatio)}</span>
        <Spoken text="p99 " />
        {formatMs(figures.p99Ms)}
      </span>
    </a>
  )
}
