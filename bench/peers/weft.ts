import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { freePorts } from '../../cli/demo/ports.ts'
import { untilAnswering } from '../../cli/demo/sidecar-admin.ts'
import { createWorkloadToken } from '../../cli/token.ts'
import type { Peer } from '../peer.ts'
import { startProcess, stopProcess } from '../process.ts'

const main = path.join(import.meta.dirname, '../../cli/main.ts')

function meshYaml(backendPort: number, listenPort: number): string {
  return `
apiVersion: v1
kind: Service
metadata: { name: app, namespace: bench }
spec: { ports: [{ name: http, port: 8080 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: app, namespace: bench, labels: { kubernetes.io/service-name: app } }
addressType: IPv4
ports: [{ name: http, port: ${backendPort} }]
endpoints: [{ addresses: [127.0.0.1] }]
---
apiVersion: v1
kind: Pod
metadata:
  name: client
  namespace: bench
  annotations: { config.weft.dev/inbound: '127.0.0.1:${listenPort}=${backendPort}' }
spec: { serviceAccountName: client }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: app, namespace: bench }
spec:
  parentRefs: [{ group: '', kind: Service, name: app, port: 8080 }]
  rules:
    - matches: [{ path: { type: Exact, value: /other } }]
      backendRefs: [{ name: app, port: 8080 }]
    - matches: [{ path: { type: PathPrefix, value: / } }]
      backendRefs: [{ name: app, port: 8080 }]
`
}

function untilReady(name: string, port: number): Promise<void> {
  return untilAnswering({ name, port, path: '/ready', timeoutMs: 20_000, fallen: () => undefined })
}

type Ports = {
  readonly grpc: number
  readonly controlAdmin: number
  readonly listen: number
  readonly admin: number
}

/** `--name value` for each setting. */
function flags(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
}

function controlPlaneArgs(folder: string, ports: Ports): string[] {
  const settings = {
    config: path.join(folder, 'config'),
    state: path.join(folder, 'state'),
    'grpc-address': `127.0.0.1:${ports.grpc}`,
    'admin-address': `127.0.0.1:${ports.controlAdmin}`,
  }
  return [main, 'control-plane', ...flags(settings)]
}

function sidecarArgs(folder: string, ports: Ports, outboundPort: number): string[] {
  const settings = {
    'control-plane': `127.0.0.1:${ports.grpc}`,
    'control-plane-ca': path.join(folder, 'roots.pem'),
    'token-file': path.join(folder, 'token'),
    namespace: 'bench',
    pod: 'client',
    'service-account': 'client',
    'outbound-address': `127.0.0.1:${outboundPort}`,
    'admin-address': `127.0.0.1:${ports.admin}`,
  }
  return [main, 'proxy', ...flags(settings)]
}

/** A real sidecar of a real control plane with everything on: routes, metrics, trace context (1 %), retries, P2C EWMA. */
export const weft: Peer = {
  name: 'weft',
  available: () => true,
  async start({ port, backendPort, folder }) {
    const [grpc, controlAdmin, listen, admin] = (await freePorts(4)) as [number, number, number, number]
    const ports = { grpc, controlAdmin, listen, admin }
    const state = path.join(folder, 'state')
    mkdirSync(path.join(folder, 'config'))
    writeFileSync(path.join(folder, 'config', 'mesh.yaml'), meshYaml(backendPort, listen))
    const env = { WEFT_LOG_LEVEL: 'warn', WEFT_EXIT_WITH_PARENT: '1' }
    const controlPlane = startProcess(process.execPath, controlPlaneArgs(folder, ports), env)
    await untilReady('control plane', controlAdmin)
    copyFileSync(path.join(state, 'root-cert.pem'), path.join(folder, 'roots.pem'))
    const token = createWorkloadToken({ state, namespace: 'bench', serviceAccount: 'client', ttl: '1h' })
    writeFileSync(path.join(folder, 'token'), token, { mode: 0o600 })
    const sidecar = startProcess(process.execPath, sidecarArgs(folder, ports, port), env)
    await untilReady('sidecar', admin)
    const stop = async (): Promise<void> => {
      await Promise.all([stopProcess(sidecar), stopProcess(controlPlane)])
    }
    return { port, pid: sidecar.pid as number, stop }
  },
}
