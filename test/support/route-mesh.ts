/** Applications that tell what they were sent, a control plane over a folder, and a sidecar: a mesh whose routes a test writes. */
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { type HttpApplication, startHttpApplication } from './http-application.ts'
import { HttpClient, type HttpRequest } from './http-client.ts'
import { removeFolder, startTestControlPlane, type TestControlPlane } from './running-control-plane.ts'
import { podYamlOf, type SidecarProcess, startSidecar } from './sidecar-process.ts'
import { meshYaml } from './file-mesh.ts'

/** What an application was sent. */
export type Seen = {
  readonly app: string
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}
/** A reply, and what led to it where an application made it. */
export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly seen: Seen | undefined
}

export type RouteMesh = {
  readonly plane: TestControlPlane
  readonly sidecar: SidecarProcess
  readonly apps: Readonly<Record<string, HttpApplication>>
  /** Everything that the applications were sent, in the order of its arrival. */
  readonly log: readonly Seen[]
  /** Writes the HTTPRoute `name` on catalog (`spec` as JSON) and resolves once the sidecar has a rule of this name. */
  readonly route: (rule: string, spec: object, name?: string) => Promise<void>
  readonly get: (path: string, request?: HttpRequest) => Promise<Answer>
  readonly stop: () => Promise<void>
}

const patienceMs = 20_000

/** Resolves once `check` is true. Rejects after 20 s. */
export async function until(what: string, check: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${patienceMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function routeYaml(name: string, spec: object): string {
  const parentRefs = [{ group: '', kind: 'Service', name: 'catalog' }]
  return JSON.stringify({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, namespace: 'shop' },
    spec: { parentRefs, ...spec },
  })
}

/** Whether the sidecar has a rule of this name for catalog. */
async function hasRule({ adminPort }: SidecarProcess, rule: string): Promise<boolean> {
  const { text } = await fetchText(adminPort, '/config')
  return new RegExp(`"httproute/[^"]*/${rule}"`).test(text)
}

function answerOf(status: number, headers: Answer['headers'], text: string): Answer {
  const seen = text.startsWith('{"app"') ? (JSON.parse(text) as Seen) : undefined
  return { status, headers, text, seen }
}

/** One application for each Service; those in `empty` have no endpoint, those in `slow` never answer. */
export async function startRouteMesh(
  names: readonly string[],
  options: {
    readonly empty?: readonly string[]
    readonly slow?: readonly string[]
    readonly settings?: readonly string[]
    readonly namespaces?: readonly string[]
    readonly referenceGrants?: 'ignored' | 'required'
  } = {},
): Promise<RouteMesh> {
  const { empty = [], slow = [], settings = [], namespaces = [] } = options
  const apps: Record<string, HttpApplication> = {}
  const log: Seen[] = []
  for (const app of [...names, ...slow]) {
    apps[app] = await startHttpApplication(app, (request, response, body) => {
      const { method = '', url = '' } = request
      const seen: Seen = {
        app,
        method,
        target: url,
        headers: request.headers as Record<string, string>,
        body,
      }
      log.push(seen)
      if (slow.includes(app)) return
      response.setHeader('X-App', app)
      response.end(JSON.stringify(seen))
    })
  }
  const ports = Object.fromEntries(Object.entries(apps).map(([name, app]) => [name, [app.port]]))
  const none = Object.fromEntries(empty.map((name) => [name, []]))
  const plane = await startTestControlPlane(
    { 'mesh.yaml': [meshYaml({ ...ports, ...none }), ...namespaces.map(podYamlOf)].join('---\n') },
    { referenceGrants: options.referenceGrants ?? 'ignored' },
  )
  const sidecar = await startSidecar(plane, { settings })
  const client = new HttpClient(sidecar.port)
  const get = async (path: string, request: HttpRequest = {}): Promise<Answer> => {
    const { status, headers, body } = await client.send(`http://catalog.shop:8080${path}`, request)
    return answerOf(status, headers, body)
  }
  const route = async (rule: string, spec: object, name = 'r'): Promise<void> => {
    plane.write(`${name}.json`, routeYaml(name, spec))
    // Names are asked for as they are used.
    await get('/')
    await until(`the rule ${rule}`, () => hasRule(sidecar, rule))
    log.length = 0
  }
  const stop = async (): Promise<void> => {
    client.close()
    await sidecar.stop()
    await plane.stop()
    for (const app of Object.values(apps)) await app.stop()
    removeFolder(plane.folder)
  }
  return { plane, sidecar, apps, log, route, get, stop }
}

/** `service` on its port, with `facts` such as a weight. */
export function ref(service: string, facts: object = {}): object {
  return { name: service, port: 8080, ...facts }
}
