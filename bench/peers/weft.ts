import { copyFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { freePorts } from '../../cli/demo/ports.ts'
import { createWorkloadToken } from '../../cli/token.ts'
import type { MeasuredProcess, Peer, RunningPeer, Setup } from '../peer.ts'
import { type BenchMesh, benchMeshYaml } from './bench-mesh.ts'
import { until } from '../process.ts'
import { churnConfiguration } from './churn.ts'
import { readMetric } from './sidecar-metrics.ts'
import type { Launched } from './sides.ts'
import { SpanSink } from './span-sink.ts'
import { launchWeft, weftVersion } from './weft-process.ts'

const namespace = 'bench'

type Role = MeasuredProcess['role']
type Sidecar = Launched & MeasuredProcess & { readonly adminPort: number }

/** What differs between two sidecars. */
type Place = { readonly role: Role; readonly pod: string; readonly outboundPort: number }

/** A mesh in one folder: its control plane, and what a sidecar needs to join it. */
class Mesh {
  readonly #folder: string
  readonly #grpcPort: number
  readonly controlPlane: Launched

  private constructor(folder: string, grpcPort: number, controlPlane: Launched) {
    this.#folder = folder
    this.#grpcPort = grpcPort
    this.controlPlane = controlPlane
  }

  static async start(folder: string, mesh: BenchMesh): Promise<Mesh> {
    const [grpcPort, adminPort] = (await freePorts(2)) as [number, number]
    mkdirSync(path.join(folder, 'config'))
    writeFileSync(path.join(folder, 'config', 'mesh.yaml'), benchMeshYaml(mesh))
    const controlPlane = await launchWeft('control-plane', adminPort, {
      config: path.join(folder, 'config'),
      state: path.join(folder, 'state'),
      'grpc-address': `127.0.0.1:${grpcPort}`,
      'admin-address': `127.0.0.1:${adminPort}`,
    })
    copyFileSync(path.join(folder, 'state', 'root-cert.pem'), path.join(folder, 'roots.pem'))
    return new Mesh(folder, grpcPort, controlPlane)
  }

  /** Puts another mesh in force, as an editor does: a new file takes the old one's place. */
  write(mesh: BenchMesh): void {
    const fresh = path.join(this.#folder, 'fresh.yaml')
    writeFileSync(fresh, benchMeshYaml(mesh))
    renameSync(fresh, path.join(this.#folder, 'config', 'mesh.yaml'))
  }

  /** A sidecar with an identity that the control plane's CA has signed. */
  async startSidecar(
    { role, pod, outboundPort }: Place,
    more: Readonly<Record<string, string>>,
    nodeArgs: readonly string[],
  ): Promise<Sidecar> {
    const [adminPort] = (await freePorts(1)) as [number]
    const state = path.join(this.#folder, 'state')
    const tokenFile = path.join(this.#folder, `${pod}.token`)
    const token = createWorkloadToken({ state, namespace, serviceAccount: pod, ttl: '24h' })
    writeFileSync(tokenFile, token, { mode: 0o600 })
    const settings = {
      'control-plane': `127.0.0.1:${this.#grpcPort}`,
      'control-plane-ca': path.join(this.#folder, 'roots.pem'),
      'token-file': tokenFile,
      namespace,
      pod,
      'service-account': pod,
      'outbound-address': `127.0.0.1:${outboundPort}`,
      'admin-address': `127.0.0.1:${adminPort}`,
      ...more,
    }
    return { role, adminPort, ...(await launchWeft('proxy', adminPort, settings, nodeArgs)) }
  }
}

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

async function placesOf(topology: Setup['topology'], port: number): Promise<Place[]> {
  const outbound: Place = { role: 'outbound', pod: 'client', outboundPort: port }
  if (topology === 'plain') return [outbound]
  const [unusedPort] = (await freePorts(1)) as [number]
  return [outbound, { role: 'inbound', pod: 'app', outboundPort: unusedPort }]
}

/** The mesh of the setup, before or in the middle of a rollout. */
async function meshesOf({ topology, backendPort, variant }: Setup): Promise<(rollout: boolean) => BenchMesh> {
  const [inboundPort] = (await freePorts(1)) as [number]
  const pair = topology === 'pair'
  return (rollout) => ({
    endpointPort: pair ? inboundPort : backendPort,
    inbound: pair ? { applicationPort: backendPort } : undefined,
    routes: variant.routes,
    rollout,
  })
}

/** Starts a real control plane and the sidecars of the topology. */
export async function startWeft(setup: Setup, { nodeArgs }: WeftOptions = {}): Promise<RunningPeer> {
  await using starting = new AsyncDisposableStack()
  const [port] = (await freePorts(1)) as [number]
  const meshOf = await meshesOf(setup)
  const sink = setup.variant.spans ? await SpanSink.start() : undefined
  if (sink !== undefined) starting.defer(() => sink.stop())
  const mesh = await Mesh.start(setup.folder, meshOf(false))
  starting.defer(() => mesh.controlPlane.stop())
  const sidecars: Sidecar[] = []
  for (const place of await placesOf(setup.topology, port)) {
    const more = sink === undefined ? {} : { 'zipkin-url': sink.url }
    const sidecar = await mesh.startSidecar(place, more, nodeArgs?.(place.role) ?? [])
    starting.defer(() => sidecar.stop())
    sidecars.push(sidecar)
  }
  const [first] = sidecars as [Sidecar]
  const running = starting.move()
  return {
    port,
    processes: sidecars,
    readyMs: first.readyMs,
    verify: async () => {
      await verifyTls(sidecars)
      // Spans come in batches, a while after their requests.
      if (sink !== undefined) await until(() => Promise.resolve(sink.spans > 0), 'the collector of spans')
    },
    churn: (changesPerSecond) =>
      churnConfiguration({
        changesPerSecond,
        change: (rollout) => mesh.write(meshOf(rollout)),
        applied: () => readMetric(first.adminPort, 'control_acks_total'),
      }),
    stop: () => running.disposeAsync(),
  }
}

/** A real sidecar of a real control plane with everything on: routes, metrics, trace context (1 %), retries, P2C EWMA. */
export const weft: Peer = {
  name: 'weft',
  topologies: ['plain', 'pair'],
  available: () => true,
  version: weftVersion,
  start: (setup) => startWeft(setup),
}
