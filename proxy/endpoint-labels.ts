/** How exchanges with an endpoint are counted: by what configuration says of it, and the name they asked for. */
import type { EndpointConfig } from './cluster/cluster-config.ts'
import type { Labels } from './telemetry/series-table.ts'

export type EndpointFacts = {
  readonly direction: 'inbound' | 'outbound'
  readonly meshTls: boolean
  /** '' where nothing of the configuration was asked for. */
  readonly apex: string
  readonly clusterLabels: Labels
  readonly config: EndpointConfig
}

export function endpointLabels({ direction, meshTls, apex, clusterLabels, config }: EndpointFacts): Labels {
  return {
    direction,
    tls: String(meshTls),
    ...(config.identity === undefined ? {} : { server_id: config.identity }),
    ...clusterLabels,
    ...(apex === '' ? {} : { authority: apex }),
    ...config.labels,
  }
}
