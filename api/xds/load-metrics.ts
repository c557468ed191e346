/**
 * What sidecars report of their load beyond LRS's own numbers, as named metrics; who does not know the names overlooks them.
 * A `cluster_name` is what clients asked for, the `cluster_service_name` whose endpoints served: they differ by a split or a
 * route. Load that came to the workload itself has the name of the inbound cluster.
 */
import { latencyBoundsMs } from '../latency-bounds.ts'

/** Requests by mesh mTLS among those that ended. */
export const mtlsRequestsMetric = 'weft.dev/mtls_requests'
/** Connections opened for opaque bytes, by mesh mTLS. */
export const mtlsConnectionsMetric = 'weft.dev/mtls_connections'
/** Connections of opaque bytes that are open now, by mesh mTLS. */
export const mtlsOpenConnectionsMetric = 'weft.dev/mtls_open_connections'
/** How many requests took how long, in all. */
export const latencyMetric = 'weft.dev/latency_ms'

/** How many fell into each bucket (not cumulative), by the bucket's place; the last is what is above all bounds. */
export const latencyBucketMetrics: readonly string[] = [...latencyBoundsMs.map(String), 'inf'].map(
  (bound) => `${latencyMetric}_le_${bound}`,
)
