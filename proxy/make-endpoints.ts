/** Gives endpoints that join a cluster what they need: connections of both protocols, and numbers to be counted in. */
import type { Clock } from '../core/clock.ts'
import type { MakeEndpoint } from './cluster/cluster.ts'
import { Endpoint } from './cluster/endpoint.ts'
import { type Dialler, isMeshed } from './dialler.ts'
import { endpointLabels } from './endpoint-labels.ts'
import type { Direction } from './exchange.ts'
import { headForm } from './http2/head-forms.ts'
import { Http1Pool } from './pool/http1-pool.ts'
import { Http2Pool } from './pool/http2-pool.ts'
import type { GoldenStats, GoldenStatsTable } from './telemetry/golden-stats.ts'
import { loadOf } from './telemetry/load-of.ts'

export type EndpointParts = {
  readonly clock: Clock
  readonly dialler: Dialler
  readonly golden: GoldenStatsTable
}

/** Idle connections kept per endpoint; more than a burst of this size is opened anew. */
const maxIdlePerEndpoint = 1024

export function makeEndpoints(direction: Direction, { clock, dialler, golden }: EndpointParts): MakeEndpoint {
  const { monotonicMs: nowMs } = clock
  return (config, cluster, connections) => {
    const { idleTimeoutMs } = cluster()
    const pool = new Http1Pool({
      dial: (onConnected) => dialler.dial(endpoint.config, cluster(), 'weft-h1', onConnected),
      nowMs,
      idleTimeoutMs,
      maxIdle: maxIdlePerEndpoint,
      connections,
    })
    const makeShared = (alpn: 'weft-h2' | 'weft-m1'): Http2Pool =>
      new Http2Pool({
        dial: (onConnected) => dialler.dial(endpoint.config, cluster(), alpn, onConnected),
        makeForm: () => headForm(alpn),
        clock,
        settingsTimeoutMs: () => cluster().connectTimeoutMs,
        idleTimeoutMs,
        maxConnections: () => cluster().limits?.maxConnections ?? Number.POSITIVE_INFINITY,
        connections,
        stats: pool.stats,
      })
    const statsFor = (apex: string): GoldenStats => {
      const { name, labels: clusterLabels } = cluster()
      const meshTls = isMeshed(config, cluster())
      const labels = endpointLabels({ direction, meshTls, apex, clusterLabels, config })
      return golden.for(labels, loadOf(apex, name, config.zone, meshTls))
    }
    const endpoint = new Endpoint(config, pool, statsFor, nowMs(), {
      http2: () => makeShared('weft-h2'),
      multiplexed: config.meshed ? () => makeShared('weft-m1') : undefined,
    })
    return endpoint
  }
}
