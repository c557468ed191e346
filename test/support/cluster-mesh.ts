/** One Service with several endpoints, a control plane over a folder, and a sidecar: a mesh whose TrafficPolicy a test rewrites. */
import { stringify } from 'yaml'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { type Answering, type HttpApplication, startHttpApplication } from './http-application.ts'
import { HttpClient } from './http-client.ts'
import { removeFolder, startTestControlPlane, type TestControlPlane } from './running-control-plane.ts'
import { podYaml, type SidecarProcess, startSidecar } from './sidecar-process.ts'

const patienceMs = 20_000
export const appUrl = 'http://app.shop:8080/'

export type ClusterPage = {
  readonly name: string
  readonly balancer: string
  readonly limits: { readonly maxConnections: number; readonly maxRequests: number } | null
  readonly outlierDetection: {
    readonly baseEjectionMs: number
    readonly maxEjectionPercent: number
    readonly consecutiveFailures?: { readonly count: number }
  } | null
  readonly panicking: boolean
  readonly waiting: number
  readonly endpoints: readonly {
    readonly address: string
    readonly state: string
    readonly inFlight: number
    readonly weight: number
    readonly zone: string
    readonly connections: { readonly opened: number; readonly open: number }
  }[]
}

export type SliceEntry = {
  readonly addresses: readonly string[]
  readonly zone?: string
  readonly hints?: { readonly forZones: readonly { readonly name: string }[] }
  readonly conditions?: Readonly<Record<string, boolean>>
  readonly targetRef?: { readonly kind: string; readonly name: string }
}

/** A slice of Service `app` whose endpoints listen on `port`. */
export function sliceObject(
  name: string,
  port: number,
  endpoints: readonly SliceEntry[],
  addressType = 'IPv4',
) {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': 'app' } },
    addressType,
    ports: [{ name: 'http', port }],
    endpoints,
  }
}

/** One slice per port, each with one endpoint on 127.0.0.1. */
export function slicesOf(
  ports: readonly number[],
  more: (i: number) => Omit<SliceEntry, 'addresses'> = () => ({}),
): readonly object[] {
  return ports.map((port, i) => sliceObject(`app-${port}`, port, [{ addresses: ['127.0.0.1'], ...more(i) }]))
}

function toYaml(objects: readonly object[]): string {
  return objects.map((object) => stringify(object)).join('---\n')
}

export class ClusterMesh {
  readonly plane: TestControlPlane
  readonly sidecar: SidecarProcess
  readonly client: HttpClient
  /** What each endpoint answers with is its name: a, b, c ... */
  readonly apps: readonly HttpApplication[]

  constructor(plane: TestControlPlane, sidecar: SidecarProcess, apps: readonly HttpApplication[]) {
    this.plane = plane
    this.sidecar = sidecar
    this.client = new HttpClient(sidecar.port)
    this.apps = apps
  }

  get ports(): readonly number[] {
    return this.apps.map(({ port }) => port)
  }

  /** The TrafficPolicy for Service `app`; an empty one changes nothing. */
  setPolicy(spec: object): void {
    const metadata = { name: 'app', namespace: 'shop' }
    const targetRefs = [{ kind: 'Service', name: 'app' }]
    const policy = {
      apiVersion: 'weft.dev/v1alpha1',
      kind: 'TrafficPolicy',
      metadata,
      spec: { targetRefs, ...spec },
    }
    this.plane.write('policy.yaml', toYaml([policy]))
  }

  setSlices(objects: readonly object[]): void {
    this.plane.write('slices.yaml', toYaml(objects))
  }

  setService(annotations: Readonly<Record<string, string>>): void {
    this.plane.write('service.yaml', serviceYaml(annotations))
  }

  /** The sidecar's cluster of `app`, once something has been sent there. */
  async cluster(): Promise<ClusterPage | undefined> {
    const { text } = await fetchText(this.sidecar.adminPort, '/clusters')
    return (JSON.parse(text) as ClusterPage[]).find(({ name }) => name.startsWith('app.shop.'))
  }

  /** Resolves once the cluster is as asked. Rejects after 20 s. */
  async until(what: string, holds: (cluster: ClusterPage) => boolean): Promise<ClusterPage> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      const cluster = await this.cluster()
      if (cluster !== undefined && holds(cluster)) return cluster
      if (performance.now() > deadline) throw new Error(`not ${what}: ${JSON.stringify(cluster)}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  untilBalancer(kind: string): Promise<ClusterPage> {
    return this.until(`balanced by ${kind}`, ({ balancer }) => balancer === kind)
  }

  untilEndpoints(count: number): Promise<ClusterPage> {
    return this.until(`of ${count} endpoints`, ({ endpoints }) => endpoints.length === count)
  }

  tally(count: number, headers: Readonly<Record<string, string>> = {}): Promise<Record<string, number>> {
    return this.client.tally(appUrl, count, { headers })
  }

  async stop(): Promise<void> {
    this.client.close()
    await this.sidecar.stop()
    await this.plane.stop()
    for (const app of this.apps) await app.stop()
    removeFolder(this.plane.folder)
  }
}

function serviceYaml(annotations: Readonly<Record<string, string>>): string {
  const metadata = { name: 'app', namespace: 'shop', annotations }
  return toYaml([
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ name: 'http', port: 8080 }] } },
  ])
}

/** `count` endpoints, whose answers `answer` makes if given; `zone` is the sidecar's own. */
export async function startClusterMesh(
  count: number,
  options: {
    readonly answer?: (name: string) => Answering
    readonly zone?: string
    readonly slices?: (ports: readonly number[]) => readonly object[]
  } = {},
): Promise<ClusterMesh> {
  const apps: HttpApplication[] = []
  for (let i = 0; i < count; i++) {
    const name = String.fromCharCode(97 + i)
    apps.push(await startHttpApplication(name, options.answer?.(name)))
  }
  const slices = (options.slices ?? slicesOf)(apps.map(({ port }) => port))
  const plane = await startTestControlPlane({
    'service.yaml': serviceYaml({}),
    'slices.yaml': toYaml(slices),
    'pod.yaml': podYaml,
  })
  const settings = options.zone === undefined ? [] : [`--zone=${options.zone}`]
  const mesh = new ClusterMesh(plane, await startSidecar(plane, { settings }), apps)
  // Names are asked for as they are used.
  await mesh.client.send(appUrl)
  return mesh
}
