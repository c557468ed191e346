/** One Service with several endpoints, and a sidecar that balances over them as a TrafficPolicy says. */
import { stringify } from 'yaml'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { freePorts } from '../../cli/demo/ports.ts'
import { Mesh, type Sidecar } from '../peers/mesh.ts'
import { sumOf } from '../peers/sidecar-metrics.ts'
import { until } from '../process.ts'
import { takePrecedence } from './precedence.ts'

/** The sidecar's view of the Service, as its admin page shows it. */
export type ClusterView = {
  readonly balancer: string
  readonly outlierDetection: object | null
  readonly endpoints: readonly { readonly address: string; readonly state: string }[]
}

function object(apiVersion: string, kind: string, name: string, rest: object, metadata: object = {}): string {
  return stringify({ apiVersion, kind, metadata: { name, namespace: 'bench', ...metadata }, ...rest })
}

function slice(port: number): string {
  const labels = { 'kubernetes.io/service-name': 'app' }
  const endpoints = [{ addresses: ['127.0.0.1'] }]
  const content = { addressType: 'IPv4', ports: [{ name: 'http', port }], endpoints }
  return object('discovery.k8s.io/v1', 'EndpointSlice', `app-${port}`, content, { labels })
}

/** `policy` is the spec of a TrafficPolicy without its targets. Pure. */
export function balancingMeshYaml(ports: readonly number[], policy: object): string {
  const spec = { targetRefs: [{ kind: 'Service', name: 'app' }], ...policy }
  return [
    object('v1', 'Service', 'app', { spec: { ports: [{ name: 'http', port: 8080 }] } }),
    object('v1', 'Pod', 'client', { spec: { serviceAccountName: 'client' } }),
    object('weft.dev/v1alpha1', 'TrafficPolicy', 'app', { spec }),
    ...ports.map(slice),
  ].join('---\n')
}

export class BalancingMesh {
  readonly port: number
  readonly #mesh: Mesh
  readonly #sidecar: Sidecar

  private constructor(port: number, mesh: Mesh, sidecar: Sidecar) {
    this.port = port
    this.#mesh = mesh
    this.#sidecar = sidecar
  }

  static async start(folder: string, ports: readonly number[], policy: object): Promise<BalancingMesh> {
    const [port = 0] = await freePorts(1)
    const mesh = await Mesh.start(folder, balancingMeshYaml(ports, policy))
    try {
      const sidecar = await mesh.startSidecar({ role: 'outbound', pod: 'client', outboundPort: port }, {})
      takePrecedence(sidecar.pid)
      return new BalancingMesh(port, mesh, sidecar)
    } catch (error) {
      await mesh.controlPlane.stop()
      throw error
    }
  }

  /** Undefined until something was sent to the Service. */
  async view(): Promise<ClusterView | undefined> {
    const { text } = await fetchText(this.#sidecar.adminPort, '/clusters')
    const clusters = JSON.parse(text) as readonly (ClusterView & { readonly name: string })[]
    return clusters.find(({ name }) => name.startsWith('app.bench.'))
  }

  async untilBalancedBy(kind: string): Promise<void> {
    await until(async () => (await this.view())?.balancer === kind, `the balancer ${kind}`)
  }

  async metric(family: string, labels = ''): Promise<number> {
    const { text } = await fetchText(this.#sidecar.adminPort, '/metrics')
    return sumOf(text, family, labels)
  }

  async stop(): Promise<void> {
    await this.#sidecar.stop()
    await this.#mesh.controlPlane.stop()
  }
}
