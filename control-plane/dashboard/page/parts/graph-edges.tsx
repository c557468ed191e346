/** The lines of the graph and the figures on them. */
import type { EdgePath } from '../model/edge-path.ts'
import { healthOf } from '../model/figures.ts'
import { formatMs, formatPercent, formatRate } from '../model/format.ts'
import type { GraphEdge } from '../model/service-graph.ts'
import { Lock } from './marks.tsx'

export type DrawnEdge = { readonly edge: GraphEdge; readonly path: EdgePath }

/** More lines than this are a tangle: thin, and pale where all is well. */
const denseAbove = 150

function isSilent({ figures }: GraphEdge): boolean {
  return figures.requestsPerSecond === 0 && figures.openConnections === 0
}

function classOf(edge: GraphEdge, lit: boolean): string {
  const clear = edge.figures.mtlsRatio < 1 && !isSilent(edge) ? ' clear' : ''
  const health = isSilent(edge) ? 'silent' : healthOf(edge.figures)
  return `edge ${edge.kind} ${health}${clear}${lit ? ' lit' : ''}`
}

/** Thicker for more, but never so that it hides others. */
function strokeWidth({ figures }: GraphEdge): string {
  return Math.min(5, 1.25 + Math.log10(1 + figures.requestsPerSecond) * 0.9).toFixed(1)
}

type LinesProps = {
  readonly edges: readonly DrawnEdge[]
  readonly lit: ReadonlySet<string>
  readonly width: number
  readonly height: number
}

export function EdgeLines({ edges, lit, width, height }: LinesProps) {
  const dense = edges.length > denseAbove
  return (
    <svg
      class={`edges${dense ? ' dense' : ''}`}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      aria-hidden="true"
    >
      <marker
        id="arrow"
        viewBox="0 0 8 8"
        refX="5"
        refY="4"
        markerWidth="9"
        markerHeight="9"
        orient="auto"
        markerUnits="userSpaceOnUse"
      >
        <path d="M0,0.6 7,4 0,7.4Z" fill="context-stroke" />
      </marker>
      {edges.map(({ edge, path }) => (
        <path
          key={edge.id}
          class={classOf(edge, lit.has(edge.id))}
          d={path.d}
          stroke-width={dense ? undefined : strokeWidth(edge)}
          marker-end={dense ? undefined : 'url(#arrow)'}
        />
      ))}
    </svg>
  )
}

/** Of a split the share comes first: it is what one looks for. */
export function EdgeLabel({ edge, path, lit }: DrawnEdge & { readonly lit: boolean }) {
  const { kind, share, figures } = edge
  const rate = `${formatRate(figures.requestsPerSecond)}/s`
  const connections = figures.requestsPerSecond === 0 && figures.openConnections > 0
  return (
    <div
      class={`edge-label ${healthOf(figures)}${lit ? ' lit' : ''}`}
      style={{ left: `${path.label.x}px`, top: `${path.label.y}px` }}
    >
      <span>
        {kind === 'split' && <strong>{formatPercent(share)}</strong>}
        {connections ? `${figures.openConnections} open` : rate}
        <Lock ratio={figures.mtlsRatio} />
      </span>
      {!connections && figures.successRatio !== null && (
        <span>
          <b class="ratio">{formatPercent(figures.successRatio)}</b>
          {figures.p99Ms !== null && formatMs(figures.p99Ms)}
        </span>
      )}
    </div>
  )
}
