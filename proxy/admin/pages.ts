/** The sidecar's own pages: what it holds, what it talks to, and the switches that may be turned at run time. */
import type { AdminServer } from '../../core/admin-server.ts'
import type { Log } from '../../core/log.ts'
import type { DataPath } from '../data-path.ts'
import type { IdentitySource } from '../identity/identity-source.ts'

export type PageParts = {
  readonly admin: AdminServer
  readonly dataPath: DataPath
  readonly identity: IdentitySource | undefined
  readonly config: () => object
  readonly log: Log
  readonly sampling: { rate: number }
  readonly nowMs: () => number
  /** Begins an orderly end, as SIGTERM does. */
  readonly shutdown: () => void
}

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'silent']

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

/** Whether it is a number from 0 to 1, as `--trace-sampling` takes it. */
function isShare(text: string): boolean {
  return /^\d+(\.\d+)?$/.test(text) && Number(text) <= 1
}

/** Adds /config, /clusters, /logging and /shutdown. */
export function addPages(parts: PageParts): void {
  const { admin, dataPath, identity, log, sampling } = parts
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
  admin.page('GET', '/logging', () => ({ body: { level: log.level, traceSampling: sampling.rate } }))
  admin.page('POST', '/logging', ({ query }) => {
    const level = query.get('level')
    const rate = query.get('traceSampling')
    const unknown = [...query.keys()].filter((name) => name !== 'level' && name !== 'traceSampling')
    if (unknown.length > 0 || query.size === 0)
      return { status: 400, body: 'say level=..., traceSampling=... or both\n' }
    if (level !== null && !levels.includes(level))
      return { status: 400, body: `level is one of ${levels.join(', ')}\n` }
    if (rate !== null && !isShare(rate)) return { status: 400, body: 'traceSampling is from 0 to 1\n' }
    if (level !== null) log.level = level
    if (rate !== null) sampling.rate = Number(rate)
    return { body: { level: log.level, traceSampling: sampling.rate } }
  })
  admin.page('POST', '/shutdown', () => {
    setImmediate(parts.shutdown)
    return { status: 202, body: 'draining\n' }
  })
}
