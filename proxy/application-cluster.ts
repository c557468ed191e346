/** The one cluster of an inbound port: the application on this machine. */
import { type ClusterConfig, defaultBalancing, type InboundPort } from './cluster/cluster-config.ts'

/** Below the keep-alive time of every common server: Node closes after 5 s. */
const applicationIdleTimeoutMs = 4_000
/** The application is on this machine; what does not answer in this time is not there. */
export const applicationConnectTimeoutMs = 1_000

export function applicationCluster(config: InboundPort): ClusterConfig {
  return {
    name: `inbound:${config.applicationPort}`,
    connectTimeoutMs: applicationConnectTimeoutMs,
    balancing: defaultBalancing,
    limits: undefined,
    outlierDetection: undefined,
    labels: {},
    tls: 'never',
    identities: [],
    idleTimeoutMs: applicationIdleTimeoutMs,
    ...(config.http2 !== undefined && { http2: config.http2 }),
  }
}
