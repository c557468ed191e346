import { freePorts } from '../../cli/demo/ports.ts'
import type { MeasuredProcess, Peer, RunningPeer, Setup } from '../peer.ts'
import { type BenchMesh, benchMeshYaml } from './bench-mesh.ts'
import { until } from '../process.ts'
import { bundleWithout } from './bundle-without.ts'
import { churnConfiguration } from './churn.ts'
import { readMetric } from './sidecar-metrics.ts'
import { Mesh, type Place, type Sidecar } from './mesh.ts'
import { SpanSink } from './span-sink.ts'
import { TapViewer } from './tap-viewer.ts'
import { weftVersion } from './weft-process.ts'

type Role = MeasuredProcess['role']

/** Every request of a pair has to have come with mutual TLS. */
async function verifyTls(sidecars: readonly Sidecar[]): Promise<void> {
  const inbound = sidecars.find(({ role }) => role === 'inbound')
  if (inbound === undefined) return
  const all = await readMetric(inbound.adminPort, 'request_total')
  const secure = await readMetric(inbound.adminPort, 'request_total', 'tls="true"')
  if (all === 0 || secure !== all)
    throw new Error(`${all - secure} of ${all} requests came without mutual TLS`)
}

export type WeftOptions = {
  /** For the Node of each sidecar. */
  readonly nodeArgs?: (role: Role) => readonly string[]
}

async function placesOf({ topology, variant }: Setup, port: number): Promise<Place[]> {
  const { without, rules } = variant
  const bundle = without === undefined ? {} : { bundle: await bundleWithout(without) }
  const [unusedPort] = (await freePorts(1)) as [number]
  const inbound: Place = { role: 'inbound', pod: 'app', outboundPort: unusedPort }
  if (rules !== undefined) return [inbound]
  const outbound: Place = { role: 'outbound', pod: 'client', outboundPort: port, ...bundle }
  return topology === 'plain' ? [outbound] : [outbound, inbound]
}

/** The mesh of the setup, before or in the middle of a rollout. */
function meshesOf(
  { topology, protocol, backendPort, variant }: Setup,
  inboundPort: number,
): (rollout: boolean) => BenchMesh {
  const meshed = topology === 'pair' || variant.rules !== undefined
  return (rollout) => ({
    endpointPort: meshed ? inboundPort : backendPort,
    inbound: meshed ? { applicationPort: backendPort } : undefined,
    protocol,
    routes: variant.routes,
    rules: variant.rules ?? 0,
    ruleKind: variant.ruleKind ?? 'indexed',
    rollout,
  })
}

/** Every request has to have met the last of the rules. */
async function verifyRules(sidecar: Sidecar, rules: number): Promise<void> {
  if (rules === 0) return
  const all = await readMetric(sidecar.adminPort, 'request_total')
  const allowed = await readMetric(sidecar.adminPort, 'inbound_http_authz_allow_total', 'authz_rule="last"')
  if (all === 0 || allowed !== all) throw new Error(`${all - allowed} of ${all} requests met another rule`)
}

/** Starts a real control plane and the sidecars of the topology. */
export async function startWeft(setup: Setup, { nodeArgs }: WeftOptions = {}): Promise<RunningPeer> {
  await using starting = new AsyncDisposableStack()
  const [port, inboundPort] = (await freePorts(2)) as [number, number]
  const { rules } = setup.variant
  const meshOf = meshesOf(setup, inboundPort)
  const sink = setup.variant.spans ? await SpanSink.start() : undefined
  if (sink !== undefined) starting.defer(() => sink.stop())
  const mesh = await Mesh.start(setup.folder, benchMeshYaml(meshOf(false)))
  starting.defer(() => mesh.controlPlane.stop())
  const sidecars: Sidecar[] = []
  for (const place of await placesOf(setup, port)) {
    const more = { ...(sink === undefined ? {} : { 'zipkin-url': sink.url }), ...setup.variant.settings }
    const sidecar = await mesh.startSidecar(place, more, nodeArgs?.(place.role) ?? [])
    starting.defer(() => sidecar.stop())
    sidecars.push(sidecar)
  }
  const [first] = sidecars as [Sidecar]
  const viewer = setup.variant.tapped === true ? new TapViewer(mesh.adminPort) : undefined
  if (viewer !== undefined) starting.defer(() => viewer.stop())
  const running = starting.move()
  return {
    port: rules === undefined ? port : inboundPort,
    processes: sidecars,
    readyMs: first.readyMs,
    verify: async () => {
      if (rules === undefined) await verifyTls(sidecars)
      else await verifyRules(first, rules)
      // Spans come in batches, a while after their requests.
      if (sink !== undefined) await until(() => Promise.resolve(sink.spans > 0), 'the collector of spans')
      if (viewer !== undefined) await until(() => Promise.resolve(viewer.seen > 0), 'the viewer of exchanges')
    },
    churn: (changesPerSecond) =>
      churnConfiguration({
        changesPerSecond,
        change: (rollout) => mesh.write(benchMeshYaml(meshOf(rollout))),
        applied: () => readMetric(first.adminPort, 'control_acks_total'),
      }),
    stop: () => running.disposeAsync(),
  }
}

/** A real sidecar of a real control plane with everything on: routes, metrics, trace context (1 %), retries, P2C EWMA. */
export const weft: Peer = {
  name: 'weft',
  topologies: ['plain', 'pair'],
  protocols: ['http1', 'http2'],
  available: () => true,
  version: weftVersion,
  start: (setup) => startWeft(setup),
}
