/** Applications that tell what they were sent, a control plane over a folder, and a sidecar, for gateways beside it. */
import { type HttpApplication, startHttpApplication } from './http-application.ts'
import { meshYaml } from './file-mesh.ts'
import type { Seen } from './route-mesh.ts'
import { removeFolder, startTestControlPlane, type TestControlPlane } from './running-control-plane.ts'
import { type SidecarProcess, startSidecar } from './sidecar-process.ts'

export type GatewayMesh = {
  readonly plane: TestControlPlane
  readonly sidecar: SidecarProcess
  /** Where an application listens. */
  readonly portOf: (app: string) => number
  /** Everything that the applications were sent, in the order of its arrival. */
  readonly log: Seen[]
  /** Writes the TrafficSplit of an apex. */
  readonly split: (apex: string, weights: Readonly<Record<string, number>>) => void
  /** Writes a Service of type ExternalName. */
  readonly external: (service: string, host: string) => void
  /** Writes the HTTPRoute of a Service. */
  readonly route: (service: string, spec: object) => void
  /** Writes the TrafficPolicy of a Service. */
  readonly policy: (service: string, spec: object) => void
  readonly stop: () => Promise<void>
}

function objectYaml(apiVersion: string, kind: string, name: string, spec: object): string {
  return JSON.stringify({ apiVersion, kind, metadata: { name, namespace: 'shop' }, spec })
}

export type GatewayServices = {
  /** Services of one application each, of the same name. */
  readonly one: readonly string[]
  readonly several: Readonly<Record<string, readonly string[]>>
  /** Whose application never answers. */
  readonly slow: readonly string[]
  /** Without an endpoint. */
  readonly empty: readonly string[]
}

/** What `x-answers` says: a status for each request of the same `x-id`, the last again and again; `failing` fails. */
class Answers {
  readonly #counts = new Map<string, number>()

  next(app: string, headers: Readonly<Record<string, string>>): number {
    if (app === 'failing') return 503
    const answers = (headers['x-answers'] ?? '200').split(',')
    const key = headers['x-id'] ?? ''
    const count = this.#counts.get(key) ?? 0
    this.#counts.set(key, count + 1)
    return Number(answers[Math.min(count, answers.length - 1)])
  }
}

async function startApplications(
  { one, several, slow }: GatewayServices,
  log: Seen[],
): Promise<ReadonlyMap<string, HttpApplication>> {
  const apps = new Map<string, HttpApplication>()
  const answers = new Answers()
  for (const app of [...one, ...Object.values(several).flat(), ...slow]) {
    const started = await startHttpApplication(app, (request, response, body) => {
      const { method = '', url = '' } = request
      const headers = request.headers as Record<string, string>
      log.push({ app, method, target: url, headers, body })
      if (slow.includes(app)) return
      response.writeHead(answers.next(app, headers), { 'x-app': app, 'x-extra': 'extra', server: app })
      response.end(app)
    })
    apps.set(app, started)
  }
  return apps
}

export async function startGatewayMesh(services: GatewayServices): Promise<GatewayMesh> {
  const log: Seen[] = []
  const apps = await startApplications(services, log)
  const portsOf = (names: readonly string[]) => names.map((name) => apps.get(name)?.port ?? 0)
  const endpoints = {
    ...Object.fromEntries([...services.one, ...services.slow].map((name) => [name, portsOf([name])])),
    ...Object.fromEntries(Object.entries(services.several).map(([name, of]) => [name, portsOf(of)])),
    ...Object.fromEntries(services.empty.map((name) => [name, []])),
  }
  const plane = await startTestControlPlane({ 'mesh.yaml': meshYaml(endpoints) })
  const sidecar = await startSidecar(plane)
  const write = (apiVersion: string, kind: string, name: string, spec: object): void =>
    plane.write(`${kind}-${name}.json`, objectYaml(apiVersion, kind, name, spec))
  const stop = async (): Promise<void> => {
    await sidecar.stop()
    await plane.stop()
    for (const app of apps.values()) await app.stop()
    removeFolder(plane.folder)
  }
  return {
    plane,
    sidecar,
    log,
    portOf: (app) => apps.get(app)?.port ?? 0,
    external: (service, externalName) =>
      write('v1', 'Service', service, { type: 'ExternalName', externalName }),
    split: (apex, weights) => {
      const backends = Object.entries(weights).map(([service, weight]) => ({ service, weight }))
      write('split.smi-spec.io/v1alpha4', 'TrafficSplit', apex, { service: apex, backends })
    },
    route: (service, spec) => {
      const parentRefs = [{ group: '', kind: 'Service', name: service }]
      write('gateway.networking.k8s.io/v1', 'HTTPRoute', service, { parentRefs, ...spec })
    },
    policy: (service, spec) => {
      const targetRefs = [{ kind: 'Service', name: service }]
      write('weft.dev/v1alpha1', 'TrafficPolicy', service, { targetRefs, ...spec })
    },
    stop,
  }
}
