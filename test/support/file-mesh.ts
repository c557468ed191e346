/** Applications, a control plane over a folder, and a sidecar: a mesh whose routing a test rewrites. */
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import type { RoutePolicy } from '../../proxy/route/route-policy.ts'
import { type Answering, type HttpApplication, startHttpApplication } from './http-application.ts'
import { HttpClient } from './http-client.ts'
import { removeFolder, startTestControlPlane, type TestControlPlane } from './running-control-plane.ts'
import { podYaml, type SidecarProcess, startSidecar } from './sidecar-process.ts'

export type FileMesh = {
  readonly plane: TestControlPlane
  readonly sidecar: SidecarProcess
  readonly client: HttpClient
  readonly apps: Readonly<Record<string, HttpApplication>>
  /** What the sidecar uses for `name:8080`, once `ready` likes it. Rejects after 20 s. */
  readonly untilRules: (name: string, ready: (rules: readonly UsedRule[]) => boolean) => Promise<void>
  /** The weights of each rule that the sidecar uses for `name:8080`, by the backend's name, in their order. */
  readonly weights: (name: string) => Promise<readonly Readonly<Record<string, number>>[]>
  /** Resolves once the sidecar's weights for `name:8080` are these. Rejects after 20 s. */
  readonly untilWeights: (
    name: string,
    expected: readonly Readonly<Record<string, number>>[],
  ) => Promise<void>
  readonly stop: () => Promise<void>
}

/** As the sidecar's page /config has it. */
export type UsedRule = {
  readonly name: string
  readonly action: { readonly clusters?: readonly { cluster: string; weight: number }[] }
  readonly timeoutMs?: number
  readonly policy?: RoutePolicy
}
type ConfigPage = {
  readonly destinations: Readonly<
    Record<string, { readonly hosts: readonly { readonly rules: readonly UsedRule[] }[] }>
  >
}

const patienceMs = 20_000

/** Services on port 8080 of namespace `shop`; those in `elsewhere` are on the port named there instead. */
export function meshYaml(
  apps: Readonly<Record<string, readonly number[]>>,
  elsewhere: Readonly<Record<string, number>> = {},
): string {
  const documents = Object.entries(apps).flatMap(([name, ports]) => [
    `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: shop}\nspec: {ports: [{name: http, port: ${elsewhere[name] ?? 8080}}]}\n`,
    ...ports.map(
      (port) =>
        `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: ${name}-${port}, namespace: shop, labels: {kubernetes.io/service-name: ${name}}}\naddressType: IPv4\nports: [{name: http, port: ${port}}]\nendpoints: [{addresses: [127.0.0.1]}]\n`,
    ),
  ])
  return [...documents, podYaml].join('---\n')
}

async function readRules(adminPort: number, name: string): Promise<readonly UsedRule[]> {
  const { text } = await fetchText(adminPort, '/config')
  return (JSON.parse(text) as ConfigPage).destinations[`${name}.shop:8080`]?.hosts[0]?.rules ?? []
}

function weightsOf(rules: readonly UsedRule[]): readonly Readonly<Record<string, number>>[] {
  return rules.map(({ action }) =>
    Object.fromEntries((action.clusters ?? []).map(({ cluster, weight }) => [cluster.split('.')[0], weight])),
  )
}

export type FileMeshOptions = {
  /** Services without an endpoint. */
  readonly empty?: readonly string[]
  readonly elsewhere?: Readonly<Record<string, number>>
  /** What the applications answer; with their own names unless set. */
  readonly answers?: Readonly<Record<string, Answering>>
  readonly settings?: readonly string[]
}

/** The Service of an application: `catalog` of `catalog`, and of `catalog#1`, `catalog#2` ... if there are several. */
function serviceOf(name: string): string {
  return name.split('#')[0] as string
}

/** One application for each name. */
export async function startFileMesh(
  names: readonly string[],
  options: FileMeshOptions = {},
): Promise<FileMesh> {
  const apps: Record<string, HttpApplication> = {}
  for (const name of names) apps[name] = await startHttpApplication(name, options.answers?.[name])
  const ports: Record<string, number[]> = {}
  for (const [name, { port }] of Object.entries(apps)) (ports[serviceOf(name)] ??= []).push(port)
  const empty = Object.fromEntries((options.empty ?? []).map((name) => [name, []]))
  const plane = await startTestControlPlane({
    'mesh.yaml': meshYaml({ ...ports, ...empty }, options.elsewhere),
  })
  const sidecar = await startSidecar(plane, { settings: options.settings ?? [] })
  const client = new HttpClient(sidecar.port)
  const weights = async (name: string) => weightsOf(await readRules(sidecar.adminPort, name))
  const untilRules = async (name: string, ready: (rules: readonly UsedRule[]) => boolean): Promise<void> => {
    const deadline = performance.now() + patienceMs
    for (;;) {
      const now = await readRules(sidecar.adminPort, name)
      if (ready(now)) return
      if (performance.now() > deadline) throw new Error(`${name} still has ${JSON.stringify(now)}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const untilWeights = async (
    name: string,
    expected: readonly Readonly<Record<string, number>>[],
  ): Promise<void> => {
    // Names are asked for as they are used.
    await client.send(`http://${name}.shop:8080/`)
    await untilRules(name, (rules) => JSON.stringify(weightsOf(rules)) === JSON.stringify(expected))
  }
  const stop = async (): Promise<void> => {
    client.close()
    await sidecar.stop()
    await plane.stop()
    for (const app of Object.values(apps)) await app.stop()
    removeFolder(plane.folder)
  }
  return { plane, sidecar, client, apps, weights, untilRules, untilWeights, stop }
}
