/** The one cluster of an inbound port: the application on this machine. */
import { addressesOf, type ApplicationAddresses } from './application-addresses.ts'
import {
  type ClusterConfig,
  defaultBalancing,
  type EndpointConfig,
  type InboundPort,
  plainEndpoint,
} from './cluster/cluster-config.ts'

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

/** Its one endpoint, which may have several addresses. */
export function applicationEndpoint(config: InboundPort, redirected: ApplicationAddresses): EndpointConfig {
  const [{ host }, ...others] = addressesOf(config, redirected)
  const otherAddresses = others.map((address) => address.host)
  return { ...plainEndpoint(host, config.applicationPort), otherAddresses }
}

/** Whether listener and connections can stay. */
export function isSameApplication(a: InboundPort, b: InboundPort): boolean {
  return (
    a.applicationHost === b.applicationHost &&
    a.protocol === b.protocol &&
    a.http2 === b.http2 &&
    a.listen?.host === b.listen?.host &&
    a.listen?.port === b.listen?.port
  )
}
