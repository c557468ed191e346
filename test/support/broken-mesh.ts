/** A mesh without a cluster that tests break: a control plane over a folder, `web` that calls, `app` that answers, each with a sidecar. */
import { rmSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import path from 'node:path'
import { stringify } from 'yaml'
import { freePorts } from '../../cli/demo/ports.ts'
import { type Answering, type HttpApplication, startHttpApplication } from './http-application.ts'
import { removeFolder, startTestControlPlane, type TestControlPlane } from './running-control-plane.ts'
import { type SidecarProcess, startSidecar } from './sidecar-process.ts'

export type BrokenMesh = {
  readonly plane: TestControlPlane
  /** Of the control plane's admin server. */
  readonly admin: string
  readonly web: SidecarProcess
  readonly app: SidecarProcess
  readonly application: HttpApplication
  readonly inboundPort: number
  /** Has `app` answer what it holds. */
  readonly release: () => void
  /** Writes objects beside those that make the mesh whole. */
  readonly plant: (...objects: readonly object[]) => void
  /** Writes the pod of `app` anew. */
  readonly writeApp: (serviceAccountName: string) => void
  /** Takes everything away that `plant` and `writeApp` made. */
  readonly heal: () => void
  readonly stop: () => Promise<void>
}

const namespace = 'shop'

export function service(name: string, more: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { ports: [{ name: 'http', port: 8080 }], ...more },
  }
}

export function pod(name: string, serviceAccountName: string, annotations: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, annotations },
    spec: { serviceAccountName },
  }
}

/** `target`: the pod behind it. */
export function slice(
  name: string,
  port: number,
  facts: { readonly target?: string; readonly ready?: boolean; readonly portName?: string } = {},
): object {
  const targetRef =
    facts.target === undefined ? {} : { targetRef: { kind: 'Pod', name: facts.target, namespace } }
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: facts.portName ?? 'http', port }],
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: facts.ready ?? true }, ...targetRef }],
  }
}

/** A route of a Service, with these rules. */
export function route(rules: readonly object[], parent = 'app'): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'app', namespace },
    spec: { parentRefs: [{ group: '', kind: 'Service', name: parent }], rules },
  }
}

function yaml(objects: readonly object[]): string {
  return objects.map((object) => stringify(object)).join('---\n')
}

/** Fails below /fail, and answers below /hold once it is told to. */
function moodyAnswers(): { readonly answer: Answering; readonly release: () => void } {
  const held = new Set<ServerResponse>()
  const answer: Answering = ({ url = '' }, response) => {
    if (url.startsWith('/hold')) {
      held.add(response)
      return
    }
    response.statusCode = url.startsWith('/fail') ? 500 : 200
    response.end('app')
  }
  const release = (): void => {
    for (const response of held) response.end('app')
    held.clear()
  }
  return { answer, release }
}

export async function startBrokenMesh(): Promise<BrokenMesh> {
  const { answer, release } = moodyAnswers()
  const application = await startHttpApplication('app', answer)
  const [inboundPort = 0] = await freePorts(1)
  const inbound = { 'config.weft.dev/inbound': `127.0.0.1:${inboundPort}=${application.port}` }
  const appYaml = (serviceAccountName: string): string => yaml([pod('app', serviceAccountName, inbound)])
  const plane = await startTestControlPlane({
    'mesh.yaml': yaml([service('app'), slice('app', inboundPort, { target: 'app' }), pod('web', 'web')]),
    'app.yaml': appYaml('app'),
  })
  const app = await startSidecar(plane, { workload: 'app' })
  const web = await startSidecar(plane)
  const planted = path.join(plane.folder, 'config', 'planted.yaml')
  return {
    plane,
    admin: `127.0.0.1:${plane.running.adminPort}`,
    web,
    app,
    application,
    inboundPort,
    release,
    plant: (...objects) => plane.write('planted.yaml', yaml(objects)),
    writeApp: (serviceAccountName) => plane.write('app.yaml', appYaml(serviceAccountName)),
    heal: () => {
      rmSync(planted, { force: true })
      plane.write('app.yaml', appYaml('app'))
    },
    stop: async () => {
      await web.stop()
      await app.stop()
      await plane.stop()
      await application.stop()
      removeFolder(plane.folder)
    },
  }
}
