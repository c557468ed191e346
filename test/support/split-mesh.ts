/** Applications, a control plane over a folder, and a sidecar: a mesh whose routing a test rewrites. */
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { type HttpApplication, startHttpApplication } from './http-application.ts'
import { HttpClient } from './http-client.ts'
import { removeFolder, startTestControlPlane, type TestControlPlane } from './running-control-plane.ts'
import { podYaml, type SidecarProcess, startSidecar } from './sidecar-process.ts'

export type SplitMesh = {
  readonly plane: TestControlPlane
  readonly sidecar: SidecarProcess
  readonly client: HttpClient
  readonly apps: Readonly<Record<string, HttpApplication>>
  /** The weights of each rule that the sidecar uses for `name:8080`, by the backend's name, in their order. */
  readonly weights: (name: string) => Promise<readonly Readonly<Record<string, number>>[]>
  /** Resolves once the sidecar's weights for `name:8080` are these. Rejects after 10 s. */
  readonly untilWeights: (
    name: string,
    expected: readonly Readonly<Record<string, number>>[],
  ) => Promise<void>
  readonly stop: () => Promise<void>
}

type ConfigPage = {
  readonly destinations: Readonly<
    Record<
      string,
      {
        readonly hosts: readonly {
          readonly rules: readonly {
            readonly action: { readonly clusters?: readonly { cluster: string; weight: number }[] }
          }[]
        }[]
      }
    >
  >
}

const patienceMs = 10_000

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

async function readWeights(
  adminPort: number,
  name: string,
): Promise<readonly Readonly<Record<string, number>>[]> {
  const { text } = await fetchText(adminPort, '/config')
  const rules = (JSON.parse(text) as ConfigPage).destinations[`${name}.shop:8080`]?.hosts[0]?.rules ?? []
  return rules.map(({ action }) =>
    Object.fromEntries((action.clusters ?? []).map(({ cluster, weight }) => [cluster.split('.')[0], weight])),
  )
}

/** One application for each Service; those in `empty` have no endpoint. */
export async function startSplitMesh(
  names: readonly string[],
  options: { readonly empty?: readonly string[]; readonly elsewhere?: Readonly<Record<string, number>> } = {},
): Promise<SplitMesh> {
  const apps: Record<string, HttpApplication> = {}
  for (const name of names) apps[name] = await startHttpApplication(name)
  const ports = Object.fromEntries(Object.entries(apps).map(([name, app]) => [name, [app.port]]))
  const empty = Object.fromEntries((options.empty ?? []).map((name) => [name, []]))
  const plane = await startTestControlPlane({
    'mesh.yaml': meshYaml({ ...ports, ...empty }, options.elsewhere),
  })
  const sidecar = await startSidecar(plane)
  const client = new HttpClient(sidecar.port)
  const weights = (name: string) => readWeights(sidecar.adminPort, name)
  const untilWeights = async (
    name: string,
    expected: readonly Readonly<Record<string, number>>[],
  ): Promise<void> => {
    // Names are asked for as they are used.
    await client.send(`http://${name}.shop:8080/`)
    const deadline = performance.now() + patienceMs
    for (;;) {
      const now = await weights(name)
      if (JSON.stringify(now) === JSON.stringify(expected)) return
      if (performance.now() > deadline)
        throw new Error(`${name} has ${JSON.stringify(now)}, not ${JSON.stringify(expected)}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const stop = async (): Promise<void> => {
    client.close()
    await sidecar.stop()
    await plane.stop()
    for (const app of Object.values(apps)) await app.stop()
    removeFolder(plane.folder)
  }
  return { plane, sidecar, client, apps, weights, untilWeights, stop }
}
