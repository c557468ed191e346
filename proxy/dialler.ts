/** Opens connections to endpoints: in clear, or over mesh mTLS where the endpoint has a sidecar. */
import { Buffer } from 'node:buffer'
import type { Clock } from '../core/clock.ts'
import { WeftError } from '../core/errors.ts'
import type { ClusterConfig, EndpointConfig } from './cluster/cluster-config.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { Endpoint } from './cluster/endpoint.ts'
import { dialAny } from './dial-any.ts'
import type { Wire } from './listen/wire.ts'
import { dialInTurn, dialMesh, dialPlain, type MeshDial } from './pool/dial.ts'
import type { TcpUpstream } from './tcp-forward.ts'
import { loadOf } from './telemetry/load-of.ts'
import type { TcpStats, TcpStatsTable } from './telemetry/tcp-stats.ts'
import { UpstreamFailure } from './upstream-failure.ts'

export type DiallerParts = {
  readonly clock: Clock
  readonly dialMesh: MeshDial
  readonly stats: TcpStatsTable
  /** Ours: what is sent there would come back here for ever. */
  readonly isOwnAddress: (host: string, port: number) => boolean
  /** Of those addresses that are to be connected to from one address only: that one. */
  readonly sources: ReadonlyMap<string, string | undefined>
}

const noBytes = Buffer.alloc(0)
const keepAliveProbeMs = 30_000

export function isMeshed(config: EndpointConfig, cluster: ClusterConfig): boolean {
  return cluster.tls === 'always' || (cluster.tls === 'per-endpoint' && config.meshed)
}

function release({ connections }: Cluster, endpoint: Endpoint): void {
  endpoint.inFlight--
  connections.open--
  connections.onFree?.()
}

export class Dialler {
  readonly #parts: DiallerParts

  constructor(parts: DiallerParts) {
    this.#parts = parts
  }

  /**
   * Speaks `alpn` where there is a sidecar; `onConnected` is told when its handshake begins. Rejects with UpstreamFailure,
   * or with WeftError LOOP_DETECTED.
   */
  dial(
    config: EndpointConfig,
    cluster: ClusterConfig,
    alpn: string,
    onConnected?: () => void,
  ): Promise<Wire> {
    return dialInTurn([config.address, ...config.otherAddresses], (host) =>
      this.#dialAddress(host, config, cluster, alpn, onConnected),
    )
  }

  /**
   * A connection for bytes that are not ours to read, to any endpoint; counted as load there until it is released.
   * Rejects with UpstreamFailure.
   */
  async dialTcp(cluster: Cluster, apex = ''): Promise<TcpUpstream> {
    const { monotonicMs } = this.#parts.clock
    makeRoom(cluster)
    const dial = async (endpoint: Endpoint): Promise<Wire> => {
      endpoint.begin(monotonicMs())
      cluster.connections.open++
      try {
        return await this.dial(endpoint.config, cluster.config, 'weft-tcp')
      } catch (error) {
        release(cluster, endpoint)
        throw error
      }
    }
    const { wire, endpoint } = await dialAny(cluster, dial, monotonicMs)
    // It may be silent for long, and its peer be gone for good.
    wire.socket.setKeepAlive(true, keepAliveProbeMs)
    return {
      wire,
      early: noBytes,
      stats: this.#statsOf(endpoint, cluster, apex),
      cluster: cluster.name,
      address: endpoint.address,
      release: () => release(cluster, endpoint),
    }
  }

  #dialAddress(
    host: string,
    config: EndpointConfig,
    cluster: ClusterConfig,
    alpn: string,
    onConnected: (() => void) | undefined,
  ): Promise<Wire> {
    const { clock, dialMesh: dial, isOwnAddress, sources } = this.#parts
    const { port, identity: expectedIdentity } = config
    if (isOwnAddress(host, port))
      return Promise.reject(
        new WeftError('LOOP_DETECTED', `an endpoint of ${cluster.name} is this sidecar itself`),
      )
    const timeoutMs = cluster.connectTimeoutMs
    if (!isMeshed(config, cluster)) return dialPlain(host, port, timeoutMs, clock, sources.get(host))
    const target = { host, port, alpn, expectedIdentity, timeoutMs, cluster: cluster.name, onConnected }
    return dialMesh(dial, target)
  }

  #statsOf({ config }: Endpoint, cluster: Cluster, apex: string): TcpStats {
    const { identity, labels } = config
    const meshTls = isMeshed(config, cluster.config)
    const statsLabels = {
      direction: 'outbound',
      peer: 'dst',
      tls: String(meshTls),
      ...(identity === undefined ? {} : { server_id: identity }),
      ...cluster.config.labels,
      ...(apex === '' ? {} : { authority: apex }),
      ...labels,
    }
    return this.#parts.stats.for(statsLabels, loadOf(apex, cluster.name, config.zone, meshTls))
  }
}

/** At the limit an idle connection is closed for the new one. */
function makeRoom(cluster: Cluster): void {
  const { name, breaker, connections } = cluster
  if (breaker === undefined || connections.open < breaker.limits.maxConnections) return
  if (connections.idle === 0)
    throw new UpstreamFailure('overflow', `${name} has as many connections as it may`)
  cluster.closeIdle()
}
