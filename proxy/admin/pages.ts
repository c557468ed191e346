/** The sidecar's own pages: what it holds, what it talks to, and the switches that may be turned at run time. */
import type { AdminServer } from '../../core/admin-server.ts'
import type { Log } from '../../core/log.ts'
import type { DataPath } from '../data-path.ts'
import type { IdentitySource } from '../identity/identity-source.ts'
import type { ObserveSwitches } from '../observe.ts'
import { loggingNow, setLogging } from './logging-switches.ts'

export type PageParts = {
  readonly admin: AdminServer
  readonly dataPath: DataPath
  readonly identity: IdentitySource | undefined
  readonly config: () => object
  readonly log: Log
  readonly switches: ObserveSwitches
  readonly nowMs: () => number
  /** Begins an orderly end, as SIGTERM does. */
  readonly shutdown: () => void
}

function clusters(dataPath: DataPath, nowMs: number): object {
  return [...dataPath.clusters.all()].map((cluster) => ({
    name: cluster.name,
    balancer: cluster.config.balancing.algorithm.kind,
    limits: cluster.config.limits ?? null,
    outlierDetection: cluster.config.outlierDetection ?? null,
    panicking: cluster.panicking,
    waiting: cluster.breaker?.pending ?? 0,
    endpoints: cluster.endpoints.map((endpoint) => ({
      address: endpoint.address,
      meshed: endpoint.config.meshed,
      identity: endpoint.config.identity,
      state: endpoint.health.state,
      weight: endpoint.config.weight,
      zone: endpoint.config.zone,
      inFlight: endpoint.inFlight,
      latencyMs: Math.round(endpoint.latencyMs(nowMs) * 1000) / 1000,
      connections: endpoint.pool.stats,
    })),
  }))
}

/** Adds /config, /clusters, /logging and /shutdown. */
export function addPages(parts: PageParts): void {
  const { admin, dataPath, identity, log, switches } = parts
  admin.page('GET', '/config', () => ({
    body: {
      identity:
        identity?.current === undefined
          ? null
          : {
              principal: identity.current.principal,
              notAfter: new Date(identity.current.notAfterMs).toISOString(),
              trustBundle: identity.current.bundle.version,
            },
      inbound: dataPath.inboundPorts,
      ...parts.config(),
    },
  }))
  admin.page('GET', '/clusters', () => ({ body: clusters(dataPath, parts.nowMs()) }))
  admin.page('GET', '/logging', () => ({ body: loggingNow(log, switches) }))
  admin.page('POST', '/logging', ({ query }) => {
    const problem = setLogging(query, log, switches)
    return problem === undefined ? { body: loggingNow(log, switches) } : { status: 400, body: `${problem}\n` }
  })
  admin.page('POST', '/shutdown', () => {
    setImmediate(parts.shutdown)
    return { status: 202, body: 'draining\n' }
  })
}
