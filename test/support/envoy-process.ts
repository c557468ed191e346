/** A stock Envoy as a gateway: it listens on ports of its own and gets everything else from the control plane, by ADS. */
import { globSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { startProcess, stopProcess, until } from '../../bench/process.ts'
import { freePorts } from '../../cli/demo/ports.ts'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { createWorkloadToken } from '../../cli/token.ts'
import type { TestControlPlane } from './running-control-plane.ts'

const cache = path.join(import.meta.dirname, '../../.cache/envoy')
const types = 'type.googleapis.com/envoy'

/** The two ways to speak ADS. */
export type AdsProtocol = 'DELTA_GRPC' | 'GRPC'

export type EnvoyProcess = {
  /** Where each destination is served, by its name. */
  readonly ports: Readonly<Record<string, number>>
  /** The counters whose names match, by name. */
  readonly stats: (filter: string) => Promise<Readonly<Record<string, number>>>
  readonly stop: () => Promise<void>
}

/** Envoy's binary as `npm run bench -- --install` puts it; undefined where it is missing. */
export function envoyBinary(): string | undefined {
  const [found] = globSync('lib/python*/site-packages/envoy/_bin/envoy', { cwd: cache })
  return found === undefined ? undefined : path.join(cache, found)
}

const at = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } })

/** Over TLS, as whoever sends a token has to. */
function controlPlaneCluster(plane: TestControlPlane): object {
  const name = 'control-plane'
  const validation = {
    trusted_ca: { filename: path.join(plane.folder, 'state/root-cert.pem') },
    match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'weft-control-plane' } }],
  }
  const endpoint = { endpoint: { address: at(plane.running.grpcPort) } }
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [endpoint] }] },
    transport_socket: {
      name: 'envoy.transport_sockets.tls',
      typed_config: {
        '@type': `${types}.extensions.transport_sockets.tls.v3.UpstreamTlsContext`,
        sni: 'weft-control-plane',
        common_tls_context: { alpn_protocols: ['h2'], validation_context: validation },
      },
    },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': `${types}.extensions.upstreams.http.v3.HttpProtocolOptions`,
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  }
}

type BootstrapOptions = {
  readonly protocol: AdsProtocol
  readonly adminPort: number
  readonly listeners: Readonly<Record<string, string>>
}

function bootstrap(plane: TestControlPlane, { protocol, adminPort, listeners }: BootstrapOptions): object {
  const state = path.join(plane.folder, 'state')
  const token = createWorkloadToken({ state, namespace: 'shop', serviceAccount: 'gateway', ttl: '1h' })
  const ads = { ads: {}, resource_api_version: 'V3' }
  const service = {
    envoy_grpc: { cluster_name: 'control-plane' },
    initial_metadata: [{ key: 'authorization', value: `Bearer ${token}` }],
  }
  return {
    node: { id: 'gateway', cluster: 'gateway', metadata: { 'weft.dev': { listeners } } },
    admin: { address: at(adminPort) },
    dynamic_resources: {
      ads_config: {
        api_type: protocol,
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [service],
      },
      lds_config: ads,
      cds_config: ads,
    },
    // Envoy is told by its bootstrap, and by no cluster, where it reports load to.
    cluster_manager: {
      load_stats_config: { api_type: 'GRPC', transport_api_version: 'V3', grpc_services: [service] },
    },
    static_resources: { clusters: [controlPlaneCluster(plane)] },
  }
}

/** Starts Envoy for some destinations, like `catalog.shop:8080`; resolves once it is ready to serve them. */
export async function startEnvoy(
  plane: TestControlPlane,
  protocol: AdsProtocol,
  destinations: readonly string[],
): Promise<EnvoyProcess> {
  const binary = envoyBinary()
  if (binary === undefined) throw new Error('there is no Envoy: npm run bench -- --install')
  const [adminPort, ...free] = (await freePorts(destinations.length + 1)) as [number, ...number[]]
  const ports = Object.fromEntries(destinations.map((name, i) => [name, free[i] as number]))
  const listeners = Object.fromEntries(
    destinations.map((name) => [`127.0.0.1:${ports[name]}`, name] as const),
  )
  const file = path.join(plane.folder, `envoy-${protocol}.json`)
  writeFileSync(file, JSON.stringify(bootstrap(plane, { protocol, adminPort, listeners })))
  const args = ['-c', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'error']
  const child = startProcess(binary, args)
  const page = async (target: string) => (await fetchText(adminPort, target)).text
  const stats = async (filter: string) => {
    const { stats: found } = JSON.parse(await page(`/stats?format=json&filter=${filter}`)) as {
      stats: readonly { name?: string; value?: number }[]
    }
    return Object.fromEntries(
      found.flatMap(({ name, value }) => (name === undefined ? [] : [[name, value ?? 0]])),
    )
  }
  try {
    await until(
      async () => {
        const ready = await fetchText(adminPort, '/ready').catch(() => undefined)
        if (ready?.status !== 200) return false
        const { 'listener_manager.total_listeners_active': active } = await stats('listener_manager.total')
        return active === destinations.length
      },
      'Envoy with all of its listeners',
      child,
    )
  } catch (error) {
    await stopProcess(child)
    throw error
  }
  return { ports, stats, stop: () => stopProcess(child) }
}
