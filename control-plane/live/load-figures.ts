/** What a window of load comes to: sums of what was reported, and the figures that people read. Pure. */
import { latencyBoundsMs } from '../../api/latency-bounds.ts'

/** Sums over some time; latencies fall into `latencyBoundsMs`, and one more bucket above. */
export class LoadSum {
  intervalMs = 0
  succeeded = 0
  failed = 0
  mtlsRequests = 0
  connections = 0
  mtlsConnections = 0
  latencyCounts: Float64Array | undefined = undefined

  /** Adds another sum, its time apart: who adds reports of one sender adds the time too. */
  add(other: LoadSum): void {
    this.succeeded += other.succeeded
    this.failed += other.failed
    this.mtlsRequests += other.mtlsRequests
    this.connections += other.connections
    this.mtlsConnections += other.mtlsConnections
    if (other.latencyCounts === undefined) return
    const counts = (this.latencyCounts ??= new Float64Array(latencyBoundsMs.length + 1))
    other.latencyCounts.forEach((count, i) => (counts[i] = (counts[i] as number) + count))
  }
}

/** 0 to 1; null when nothing ended. */
export function successRatio({ succeeded, failed }: LoadSum): number | null {
  return succeeded + failed === 0 ? null : succeeded / (succeeded + failed)
}

/** Of requests and connections together; 0 when there were none. */
export function mtlsRatio(sum: LoadSum): number {
  const all = sum.succeeded + sum.failed + sum.connections
  return all === 0 ? 0 : Math.min(1, (sum.mtlsRequests + sum.mtlsConnections) / all)
}

/** As Prometheus's histogram_quantile: even within a bucket; above all bounds, the last. null when nobody told. */
export function quantileMs({ latencyCounts: counts }: LoadSum, quantile: number): number | null {
  const total = counts?.reduce((sum, count) => sum + count, 0) ?? 0
  if (counts === undefined || total === 0) return null
  let left = quantile * total
  for (const [i, bound] of latencyBoundsMs.entries()) {
    const count = counts[i] as number
    if (left <= count && count > 0) {
      const lower = i === 0 ? 0 : (latencyBoundsMs[i - 1] as number)
      return lower + (bound - lower) * (left / count)
    }
    left -= count
  }
  return latencyBoundsMs.at(-1) as number
}
