/** Points the kubelet's HTTP, TCP and gRPC probes, and its HTTP hooks, at the sidecar. Pure. */
import {
  type ApplicationProbe,
  type ApplicationProbes,
  hookFields,
  type HttpHandler,
  type ProbedField,
  probeFields,
  probePath,
} from '../api/application-probe.ts'
import type { Container, Handler, Probe } from './pod.ts'

export type RewrittenContainer = { readonly container: Container; readonly probes: ApplicationProbes }

/** The kubelet gives a hook as long as the pod's grace period; this is when the application has surely not heard it. */
const hookTimeoutSeconds = 30

/** Names are of the container's own ports; undefined for one that it does not have. */
function portNumber(port: number | string, { ports }: Container): number | undefined {
  if (typeof port === 'number') return port
  if (/^\d+$/.test(port)) return Number(port)
  return ports?.find(({ name }) => name === port)?.containerPort
}

/** What the sidecar will ask; undefined for `exec`, for other hosts, and for what the kubelet could not do either. */
function askedOf(
  handler: Handler,
  container: Container,
  timeoutSeconds: number,
): ApplicationProbe | undefined {
  const { httpGet, tcpSocket, grpc } = handler
  const asked = httpGet ?? tcpSocket ?? grpc
  if (asked === undefined || asked === null) return undefined
  if (typeof asked['host'] === 'string' && asked['host'] !== '') return undefined
  const port = portNumber(asked.port, container)
  if (port === undefined || port < 1 || port > 65_535) return undefined
  const facts = { port, timeoutSeconds }
  if (httpGet != null) return { ...facts, httpGet }
  return tcpSocket != null ? { ...facts, tcpSocket } : { ...facts, grpc: asked as { port: number } }
}

/** Everything else of the probe stays: its times and thresholds. */
function pointed<T extends Handler>(handler: T, path: string, adminPort: number): T {
  const { httpGet: _http, tcpSocket: _tcp, grpc: _grpc, ...rest } = handler
  return { ...rest, httpGet: { path, port: adminPort } } as unknown as T
}

/** An answered hook or probe that is the sidecar's to ask; the container with all of them pointed at `adminPort`. */
export function rewriteProbes(container: Container, adminPort: number): RewrittenContainer {
  const probes: Record<string, ApplicationProbe> = {}
  const rewrite = <T extends Handler>(handler: T, field: ProbedField, timeoutSeconds: number): T => {
    const asked = askedOf(handler, container, timeoutSeconds)
    if (asked === undefined) return handler
    const path = probePath(container.name, field)
    probes[path] = asked
    return pointed(handler, path, adminPort)
  }
  const changed: { -readonly [K in keyof Container]: Container[K] } = { ...container }
  for (const field of probeFields) {
    const probe: Probe | null | undefined = container[field]
    if (probe != null) changed[field] = rewrite(probe, field, probe.timeoutSeconds ?? 1)
  }
  const { lifecycle } = container
  if (lifecycle != null) {
    const hooks: Record<string, unknown> = { ...lifecycle }
    for (const field of hookFields) {
      const hook = lifecycle[field]
      // The kubelet has no TCP hooks: it fails them, and so they stay.
      if (hook?.httpGet != null) hooks[field] = rewrite(hook, field, hookTimeoutSeconds)
    }
    changed.lifecycle = hooks as NonNullable<Container['lifecycle']>
  }
  return { container: changed, probes }
}

type Restored = Readonly<Record<'httpGet', HttpHandler>> | Readonly<Record<'tcpSocket' | 'grpc', object>>

/** The handler as the pod had it. */
export function originalHandler({
  port: _port,
  timeoutSeconds: _timeout,
  ...handler
}: ApplicationProbe): Restored {
  return handler as Restored
}
