/** gRPC applications that tell who they are, a control plane over a folder, and a sidecar: a mesh whose routes a test writes. */
import * as grpc from '@grpc/grpc-js'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { meshYaml } from './file-mesh.ts'
import { until } from './route-mesh.ts'
import { removeFolder, startTestControlPlane, type TestControlPlane } from './running-control-plane.ts'
import { type SidecarProcess, startSidecar } from './sidecar-process.ts'

/** What an application was asked. */
export type SeenCall = {
  readonly app: string
  readonly path: string
  readonly metadata: Readonly<Record<string, unknown>>
  /** By its deadline; Infinity without one. */
  readonly leftMs: number
}

/** A call's answer: the application's name, or a status other than OK. */
export type CallAnswer = {
  readonly status?: grpc.status
  readonly metadata?: Readonly<Record<string, string>>
}
export type Answering = (seen: SeenCall, before: number) => CallAnswer | Promise<CallAnswer>

export type CallOutcome = {
  /** The application's name; empty where it has failed. */
  readonly app: string
  readonly code: grpc.status
  readonly details: string
  /** Head and trailers together. */
  readonly metadata: grpc.Metadata
}

export type GrpcMesh = {
  readonly plane: TestControlPlane
  readonly sidecar: SidecarProcess
  readonly seen: readonly SeenCall[]
  /** One unary call of `service/method` to catalog. */
  readonly call: (path: string, options?: CallOptions) => Promise<CallOutcome>
  /** Writes the GRPCRoute of catalog, and resolves once the sidecar has a rule of this name. */
  readonly route: (rule: string, spec: object, annotations?: object) => Promise<void>
  readonly stop: () => Promise<void>
}

export type CallOptions = {
  readonly metadata?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

const methods = ['shop.Orders/Get', 'shop.Orders/List', 'shop.Items/Get', 'other.Orders/Get']

function methodOf(path: string): grpc.MethodDefinition<string, string> {
  const [requestSerialize, requestDeserialize] = [(text: string) => Buffer.from(text), String]
  return {
    path: `/${path}`,
    requestStream: false,
    responseStream: false,
    requestSerialize,
    requestDeserialize,
    responseSerialize: requestSerialize,
    responseDeserialize: requestDeserialize,
  }
}

function metadataOf(fields: Readonly<Record<string, string>> = {}): grpc.Metadata {
  const metadata = new grpc.Metadata()
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value)
  return metadata
}

type GrpcApplication = { readonly port: number; readonly stop: () => void }

function deadlineOf(deadline: grpc.Deadline): number {
  return deadline instanceof Date ? deadline.getTime() : deadline
}

async function startApplication(
  app: string,
  answering: Answering,
  seen: SeenCall[],
): Promise<GrpcApplication> {
  const server = new grpc.Server()
  let before = 0
  const handlerOf =
    (path: string): grpc.handleUnaryCall<string, string> =>
    (call, reply) => {
      const leftMs = deadlineOf(call.getDeadline()) - Date.now()
      const one = { app, path, metadata: call.metadata.getMap(), leftMs }
      seen.push(one)
      const answered = (answer: CallAnswer): void => {
        const { status = grpc.status.OK, metadata } = answer
        if (status === grpc.status.OK) reply(null, app, metadataOf(metadata))
        else reply({ code: status, details: `${app} says no`, metadata: metadataOf(metadata) })
      }
      const answer = answering(one, before++)
      if (answer instanceof Promise) void answer.then(answered)
      else answered(answer)
    }
  for (const path of methods) server.addService({ [path]: methodOf(path) }, { [path]: handlerOf(path) })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  return { port, stop: () => server.forceShutdown() }
}

/** A client of catalog, by way of what listens on `port`. */
export function clientOf(port: number): grpc.Client {
  return new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    'grpc.default_authority': 'catalog.shop:8080',
  })
}

/** One unary call; resolves with its outcome, good or bad. */
export function unary(client: grpc.Client, path: string, options: CallOptions = {}): Promise<CallOutcome> {
  const { metadata, timeoutMs = 10_000 } = options
  const { requestSerialize, responseDeserialize } = methodOf(path)
  const received = new grpc.Metadata()
  let app = ''
  return new Promise((resolve) => {
    const call = client.makeUnaryRequest(
      `/${path}`,
      requestSerialize,
      responseDeserialize,
      'x',
      metadataOf(metadata),
      { deadline: Date.now() + timeoutMs },
      (_error, value) => {
        app = value ?? ''
      },
    )
    call.on('metadata', (head) => received.merge(head))
    call.on('status', ({ code, details, metadata: trailers }) => {
      received.merge(trailers)
      // The callback comes with the status, in whichever order.
      setImmediate(() => resolve({ app, code, details, metadata: received }))
    })
  })
}

function routeJson(spec: object, annotations: object): string {
  return JSON.stringify({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GRPCRoute',
    metadata: { name: 'r', namespace: 'shop', annotations },
    spec: { parentRefs: [{ group: '', kind: 'Service', name: 'catalog' }], ...spec },
  })
}

/** `name#1`, `name#2` ... are endpoints of one Service; those in `empty` are Services without one. */
export async function startGrpcMesh(
  apps: Readonly<Record<string, Answering>>,
  options: { readonly empty?: readonly string[]; readonly settings?: readonly string[] } = {},
): Promise<GrpcMesh> {
  const seen: SeenCall[] = []
  const running: GrpcApplication[] = []
  const ports: Record<string, number[]> = Object.fromEntries((options.empty ?? []).map((name) => [name, []]))
  for (const [name, answering] of Object.entries(apps)) {
    const application = await startApplication(name, answering, seen)
    running.push(application)
    ;(ports[name.split('#')[0] as string] ??= []).push(application.port)
  }
  // For Envoy, which else would speak HTTP/1.1 to them.
  const yaml = meshYaml(ports).replaceAll('port: 8080}', 'port: 8080, appProtocol: grpc}')
  const plane = await startTestControlPlane({ 'mesh.yaml': yaml })
  const sidecar = await startSidecar(plane, { settings: options.settings ?? [] })
  const client = clientOf(sidecar.port)
  const call: GrpcMesh['call'] = (path, more = {}) => unary(client, path, more)
  const route: GrpcMesh['route'] = async (rule, spec, annotations = {}) => {
    plane.write('route.json', routeJson(spec, annotations))
    // Names are asked for as they are used.
    await call('shop.Orders/Get')
    await until(`the rule ${rule}`, async () => {
      const { text } = await fetchText(sidecar.adminPort, '/config')
      return text.includes(`"grpcroute/shop/r/${rule}"`)
    })
    seen.length = 0
  }
  const stop = async (): Promise<void> => {
    client.close()
    await sidecar.stop()
    await plane.stop()
    for (const application of running) application.stop()
    removeFolder(plane.folder)
  }
  return { plane, sidecar, seen, call, route, stop }
}
