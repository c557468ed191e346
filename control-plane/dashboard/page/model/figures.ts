/** What is known of the traffic over one or several edges. Pure. */
import type { LiveEdge } from '../../../../api/live.ts'

export type Figures = Pick<
  LiveEdge,
  'requestsPerSecond' | 'successRatio' | 'p50Ms' | 'p95Ms' | 'p99Ms' | 'mtlsRatio' | 'openConnections'
>

export const noFigures: Figures = {
  requestsPerSecond: 0,
  successRatio: null,
  p50Ms: null,
  p95Ms: null,
  p99Ms: null,
  mtlsRatio: 0,
  openConnections: 0,
}

function highest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}

/** Each value counts as much as its weight; all alike where nothing weighs anything. Null: there is no value. */
function mean(pairs: readonly (readonly [value: number, weight: number])[]): number | null {
  if (pairs.length === 0) return null
  const total = pairs.reduce((sum, [, weight]) => sum + weight, 0)
  if (total === 0) return pairs.reduce((sum, [value]) => sum + value, 0) / pairs.length
  return pairs.reduce((sum, [value, weight]) => sum + value * weight, 0) / total
}

/** Together: rates add up, ratios are weighted by rate; of latencies the highest counts, as percentiles cannot be added. */
export function sumFigures(edges: readonly Figures[]): Figures {
  const [only] = edges
  if (only === undefined) return noFigures
  const succeeded = edges.flatMap(({ successRatio, requestsPerSecond }) =>
    successRatio === null ? [] : [[successRatio, requestsPerSecond] as const],
  )
  const connections = edges.reduce((sum, edge) => sum + edge.openConnections, 0)
  const rate = edges.reduce((sum, edge) => sum + edge.requestsPerSecond, 0)
  const byMtls = edges.map(
    (edge) => [edge.mtlsRatio, rate > 0 ? edge.requestsPerSecond : edge.openConnections] as const,
  )
  return {
    requestsPerSecond: rate,
    successRatio: mean(succeeded),
    p50Ms: highest(edges.map((edge) => edge.p50Ms)),
    p95Ms: highest(edges.map((edge) => edge.p95Ms)),
    p99Ms: highest(edges.map((edge) => edge.p99Ms)),
    mtlsRatio: mean(byMtls) ?? 0,
    openConnections: connections,
  }
}

export type Health = 'good' | 'warning' | 'bad' | 'quiet'

/** How a success ratio is shown; the words are for who sees no colours. */
export function healthOf({ successRatio }: Figures): Health {
  if (successRatio === null) return 'quiet'
  if (successRatio >= 0.99) return 'good'
  return successRatio >= 0.95 ? 'warning' : 'bad'
}
