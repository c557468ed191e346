/** The demo's mesh as running processes: a control plane, and per pod an application and its sidecar. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createWorkloadToken } from '../token.ts'
import {
  accessYaml,
  type DemoPod,
  meshYaml,
  namespace,
  splitYaml,
  type Weights,
  weightsIn,
} from './mesh-yaml.ts'
import { ports as usualPorts } from '../../api/ports.ts'
import { freePorts, portOrOther } from './ports.ts'
import { Processes } from './processes.ts'
import { Relay } from './relay.ts'
import { fetchText, untilAnswering } from './sidecar-admin.ts'

export type MeshPod = DemoPod & {
  readonly outboundPort: number
  readonly adminPort: number
  readonly next: string | undefined
}

type Plan = {
  readonly name: string
  readonly serviceAccount: string
  readonly services: readonly string[]
  readonly next?: string
}

/** client -> web -> catalog (v1, v2) -> inventory. The apex's own endpoints are those of v1. */
const plans: readonly Plan[] = [
  { name: 'client', serviceAccount: 'client', services: [] },
  { name: 'web', serviceAccount: 'web', services: ['web'], next: 'http://catalog:8080' },
  {
    name: 'catalog-v1',
    serviceAccount: 'catalog-v1',
    services: ['catalog', 'catalog-v1'],
    next: 'http://inventory:8080',
  },
  {
    name: 'catalog-v2-a',
    serviceAccount: 'catalog-v2',
    services: ['catalog-v2'],
    next: 'http://inventory:8080',
  },
  {
    name: 'catalog-v2-b',
    serviceAccount: 'catalog-v2',
    services: ['catalog-v2'],
    next: 'http://inventory:8080',
  },
  { name: 'inventory', serviceAccount: 'inventory', services: ['inventory'] },
]
const portsPerPod = 5
const readyTimeoutMs = 60_000

/** Part of every path that the load asks for: what must never be seen between two sidecars. */
export const pathMarker = 'orders-7f3a9c'
/** Part of every answer of the recorded hop. */
const bodyMarker = '"app":"inventory"'

export class DemoMesh {
  readonly folder: string
  readonly pods: readonly MeshPod[]
  readonly relay: Relay
  readonly #processes: Processes
  readonly #controlPlanePort: number
  readonly #controlPlaneAdminPort: number
  readonly #zipkinUrl: string | undefined
  readonly #sidecarSettings: readonly string[]

  private constructor(
    pods: readonly MeshPod[],
    ports: readonly [number, number],
    zipkinUrl: string | undefined,
    sidecarSettings: readonly string[],
  ) {
    this.folder = mkdtempSync(path.join(tmpdir(), 'weft-demo-'))
    for (const name of ['config', 'logs', 'tokens', 'new']) mkdirSync(path.join(this.folder, name))
    this.pods = pods
    this.#controlPlanePort = ports[0]
    this.#controlPlaneAdminPort = ports[1]
    this.#zipkinUrl = zipkinUrl
    this.#sidecarSettings = sidecarSettings
    this.#processes = new Processes(path.join(this.folder, 'logs'))
    this.relay = new Relay(this.pod('inventory').listenPort, [pathMarker, bodyMarker])
  }

  /** `sidecarSettings` are given to every sidecar. */
  static async prepare(
    zipkinUrl: string | undefined,
    sidecarSettings: readonly string[] = [],
  ): Promise<DemoMesh> {
    const ports = await freePorts(plans.length * portsPerPod + 2)
    const pods = plans.map((plan): MeshPod => {
      const [listenPort, applicationPort, outboundPort, adminPort, relayPort] = ports.splice(
        0,
        portsPerPod,
      ) as [number, number, number, number, number]
      const publishedPort = plan.name === 'inventory' ? relayPort : listenPort
      return { ...plan, next: plan.next, listenPort, applicationPort, outboundPort, adminPort, publishedPort }
    })
    // Where the commands look for a control plane, unless there is one.
    const adminPort = await portOrOther(usualPorts.controlPlaneAdmin, ports[1] as number)
    return new DemoMesh(pods, [ports[0] as number, adminPort], zipkinUrl, sidecarSettings)
  }

  /** Of the control plane's admin server, as commands take it. */
  get controlPlaneAddress(): string {
    return `127.0.0.1:${this.#controlPlaneAdminPort}`
  }

  get logFolder(): string {
    return path.join(this.folder, 'logs')
  }

  get controlPlaneAdminPort(): number {
    return this.#controlPlaneAdminPort
  }

  get splitFile(): string {
    return path.join(this.folder, 'config', 'split.yaml')
  }

  /** Processes that ended although nobody had stopped them, each with how and where to look. */
  get fallen(): readonly string[] {
    return this.#processes.allFallen
  }

  /** Whether the process of this name does: `control-plane`, `<pod>-app` or `<pod>-sidecar`. */
  runs(name: string): boolean {
    return this.#processes.names.includes(name)
  }

  /** `tell` is told of each of them when it happens. */
  onFallen(tell: (text: string) => void): void {
    this.#processes.onFallen = tell
  }

  pod(name: string): MeshPod {
    const found = this.pods.find((pod) => pod.name === name)
    if (found === undefined) throw new Error(`the demo has no pod '${name}'`)
    return found
  }

  /** Starts everything and resolves when all sidecars are ready. */
  async start(weights: Weights): Promise<void> {
    writeFileSync(path.join(this.folder, 'config', 'mesh.yaml'), meshYaml(this.pods))
    writeFileSync(path.join(this.folder, 'config', 'access.yaml'), accessYaml())
    this.writeSplit(weights)
    const relayed = this.pod('inventory')
    await this.relay.listen(relayed.publishedPort)
    await this.startControlPlane()
    for (const pod of this.pods) {
      this.#writeToken(pod)
      this.#startApplication(pod)
      this.#startSidecar(pod)
    }
    await Promise.all(this.pods.flatMap((pod) => [this.#sidecarReady(pod), this.#applicationReady(pod)]))
  }

  /** Puts new weights into force the way an editor or `git pull` does: a new file takes the old one's place. */
  writeSplit(weights: Weights): void {
    const fresh = path.join(this.folder, 'new', 'split.yaml')
    writeFileSync(fresh, splitYaml(weights))
    renameSync(fresh, this.splitFile)
  }

  /** As the file has them now; undefined while it has none, as in the middle of an edit. */
  get weights(): Weights | undefined {
    try {
      return weightsIn(readFileSync(this.splitFile, 'utf8'))
    } catch {
      // Not written yet, or an editor is about to put a new one there.
      return undefined
    }
  }

  async startControlPlane(): Promise<void> {
    await this.killControlPlane()
    this.#processes.start('control-plane', 'cli/main.ts', [
      'control-plane',
      '--config',
      path.join(this.folder, 'config'),
      '--state',
      path.join(this.folder, 'state'),
      '--grpc-address',
      `127.0.0.1:${this.#controlPlanePort}`,
      '--admin-address',
      `127.0.0.1:${this.#controlPlaneAdminPort}`,
    ])
    await this.#answering('control-plane', this.#controlPlaneAdminPort, '/ready')
    copyFileSync(path.join(this.folder, 'state', 'root-cert.pem'), path.join(this.folder, 'roots.pem'))
  }

  killControlPlane(): Promise<void> {
    return this.#processes.stop('control-plane')
  }

  /** The application and its sidecar, as when a node is lost. */
  async killPod(name: string): Promise<void> {
    await Promise.all([this.#processes.stop(`${name}-app`), this.#processes.stop(`${name}-sidecar`)])
  }

  async restartPod(name: string): Promise<void> {
    const pod = this.pod(name)
    await this.killPod(name)
    this.#startApplication(pod)
    // A sidecar in front of nothing would answer 503, and be held to be a bad endpoint for that.
    await this.#applicationReady(pod)
    this.#startSidecar(pod)
    await this.#sidecarReady(pod)
  }

  async restartSidecar(name: string): Promise<void> {
    const pod = this.pod(name)
    await this.#processes.stop(`${name}-sidecar`)
    this.#startSidecar(pod)
    await this.#sidecarReady(pod)
  }

  /** Makes all applications of a version answer 500, or well again. */
  async setVersionFailing(service: string, failing: boolean): Promise<void> {
    const pods = this.pods.filter((pod) => pod.services.includes(service))
    await Promise.all(pods.map((pod) => fetchText(pod.applicationPort, failing ? '/fail' : '/recover')))
  }

  async stop(keepFolder: boolean): Promise<void> {
    await this.#processes.stopAll()
    this.relay.close()
    if (!keepFolder) rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 })
  }

  #sidecarReady({ name, adminPort }: MeshPod): Promise<void> {
    return this.#answering(`${name}-sidecar`, adminPort, '/ready')
  }

  async #applicationReady({ name, services, applicationPort }: MeshPod): Promise<void> {
    if (services.length > 0) await this.#answering(`${name}-app`, applicationPort, '/recover')
  }

  #answering(name: string, port: number, path: string): Promise<void> {
    const fallen = () => this.#processes.fallen(name)
    return untilAnswering({ name, port, path, timeoutMs: readyTimeoutMs, fallen })
  }

  #writeToken({ serviceAccount }: MeshPod): void {
    const state = path.join(this.folder, 'state')
    const token = createWorkloadToken({ state, namespace, serviceAccount, ttl: '24h' })
    writeFileSync(path.join(this.folder, 'tokens', serviceAccount), token, { mode: 0o600 })
  }

  #startApplication({ name, serviceAccount, services, applicationPort, outboundPort, next }: MeshPod): void {
    if (services.length === 0) return
    const args = [serviceAccount, String(applicationPort), ...(next === undefined ? [] : [next])]
    this.#processes.start(`${name}-app`, 'cli/demo/apps/app.ts', args, {
      http_proxy: `http://127.0.0.1:${outboundPort}`,
    })
  }

  #startSidecar(pod: MeshPod): void {
    const tracing =
      this.#zipkinUrl === undefined ? [] : ['--zipkin-url', this.#zipkinUrl, '--trace-sampling', '1']
    this.#processes.start(`${pod.name}-sidecar`, 'cli/main.ts', [
      'proxy',
      '--control-plane',
      `127.0.0.1:${this.#controlPlanePort}`,
      '--control-plane-ca',
      path.join(this.folder, 'roots.pem'),
      '--token-file',
      path.join(this.folder, 'tokens', pod.serviceAccount),
      '--namespace',
      namespace,
      '--pod',
      pod.name,
      '--service-account',
      pod.serviceAccount,
      '--deployment',
      pod.serviceAccount,
      '--outbound-address',
      `127.0.0.1:${pod.outboundPort}`,
      '--admin-address',
      `127.0.0.1:${pod.adminPort}`,
      '--state',
      path.join(this.folder, 'sidecars', pod.name),
      '--drain-delay',
      '0s',
      ...tracing,
      ...this.#sidecarSettings,
    ])
  }
}
