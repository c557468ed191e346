/** A connection for opaque bytes to any endpoint of a cluster. */
import type { Cluster } from './cluster/cluster.ts'
import type { Endpoint } from './cluster/endpoint.ts'
import type { Wire } from './listen/wire.ts'
import { UpstreamFailure } from './upstream-failure.ts'

const maxEndpoints = 3

/** Who accepted. */
export type DialledEndpoint = { readonly wire: Wire; readonly endpoint: Endpoint }

/**
 * Dials endpoints until one accepts: nothing was sent to those that did not. What became of each is told to the cluster.
 * Rejects with UpstreamFailure 'no-endpoint', or as the last of them did.
 */
export async function dialAny(
  cluster: Cluster,
  dial: (endpoint: Endpoint) => Promise<Wire>,
  nowMs: () => number,
): Promise<DialledEndpoint> {
  const tried: Endpoint[] = []
  for (;;) {
    const startedMs = nowMs()
    const endpoint = cluster.pick(startedMs, tried, undefined)
    if (endpoint === undefined)
      throw new UpstreamFailure('no-endpoint', `no endpoint of ${cluster.name} is ready`)
    try {
      const wire = await dial(endpoint)
      cluster.outlier.connected(endpoint, nowMs())
      return { wire, endpoint }
    } catch (error) {
      cluster.outlier.connectFailed(endpoint, startedMs, nowMs())
      tried.push(endpoint)
      if (tried.length >= Math.min(maxEndpoints, cluster.endpoints.length)) throw error
    }
  }
}
