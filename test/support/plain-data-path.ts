/** A data path with one destination, `app.test:80`, that leads to a given port: for tests of the HTTP/1 rules. */
import { systemClock } from '../../core/clock.ts'
import { type ClusterConfig, defaultBalancing, plainEndpoint } from '../../proxy/cluster/cluster-config.ts'
import { onLoopback } from '../../proxy/application-addresses.ts'
import type { Discovery } from '../../proxy/config-sink.ts'
import { DnsResolver } from '../../proxy/dns/host-resolver.ts'
import { DataPath } from '../../proxy/data-path.ts'
import type { DataPathOptions } from '../../proxy/data-path-options.ts'
import type { RouteRule } from '../../proxy/route/route-rule.ts'

export type PlainDataPath = { readonly dataPath: DataPath; readonly port: number; readonly stop: () => void }

/** The rule that sends everything to `clusters`, in equal shares unless weights are given. */
export function forwardRule(
  ...clusters: readonly { readonly cluster: string; readonly weight: number }[]
): RouteRule {
  return {
    name: 'all',
    match: { path: { kind: 'prefix', value: '/' }, headers: [], query: [] },
    action: { kind: 'forward', clusters },
    timeoutMs: undefined,
  }
}

export async function startPlainDataPath(
  upstreamPorts: readonly number[],
  overrides: Partial<DataPathOptions> = {},
  rule: RouteRule = forwardRule({ cluster: 'app', weight: 1 }),
  resolve: Discovery['resolve'] = () => Promise.resolve('unknown'),
): Promise<PlainDataPath> {
  const dataPath = new DataPath(
    {
      clock: systemClock,
      namespace: 'test',
      ownPrincipal: undefined,
      zone: '',
      outboundAddress: { host: '127.0.0.1', port: 0 },
      outboundPolicy: 'deny',
      inboundAddress: undefined,
      originalDestination: undefined,
      application: onLoopback,
      adminPort: 0,
      detectTimeoutMs: 10_000,
      clientTimeouts: { headMs: 10_000, idleMs: 3_600_000, streamIdleMs: 300_000 },
      maxConnections: 10_000,
      dialMesh: () => Promise.reject(new Error('no mesh in this test')),
      acceptMesh: () => undefined,
      resolver: new DnsResolver([]),
      onNameUnresolved: () => undefined,
      onNameResolved: () => undefined,
      observers: [],
      onUnexpected: (error) => {
        throw error instanceof Error ? error : new Error(String(error))
      },
      onRefused: () => undefined,
      onViolation: () => undefined,
      onListenerError: () => undefined,
      onInboundProblem: () => undefined,
      ...overrides,
    },
    { resolve, touch: () => undefined },
  )
  await dataPath.start()
  setAppEndpoints(dataPath, upstreamPorts)
  dataPath.setRoutes('app.test:80', [{ domains: ['*'], rules: [rule] }])
  return { dataPath, port: dataPath.outboundPort, stop: () => dataPath.destroy() }
}

/** Says where `app.test` leads: in clear, or over mesh mTLS to endpoints that must be `identity`. */
export function setAppEndpoints(dataPath: DataPath, ports: readonly number[], identity?: string): void {
  setEndpoints(dataPath, 'app', ports, identity)
}

/** As `setAppEndpoints`, for any cluster. */
export function setEndpoints(
  dataPath: DataPath,
  name: string,
  ports: readonly number[],
  identity?: string,
  more: Partial<ClusterConfig> = {},
): void {
  const meshed = identity !== undefined
  dataPath.setCluster({
    name,
    connectTimeoutMs: 1000,
    balancing: defaultBalancing,
    limits: undefined,
    outlierDetection: undefined,
    labels: {},
    tls: meshed ? 'always' : 'never',
    identities: [],
    idleTimeoutMs: 4000,
    ...more,
  })
  dataPath.setEndpoints(
    name,
    ports.map((port) => ({ ...plainEndpoint('127.0.0.1', port), meshed, identity })),
  )
}
