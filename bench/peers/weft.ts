import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { freePorts } from '../../cli/demo/ports.ts'
import { untilReady } from '../../cli/demo/sidecar-admin.ts'
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

/** A real sidecar of a real control plane with everything on: routes, metrics, trace context (1 %), retries, P2C EWMA. */
export const weft: Peer = {
  name: 'weft',
  available: () => true,
  async start({ port, backendPort, folder }) {
    const [grpcPort, controlAdmin, listenPort, adminPort] = (await freePorts(4)) as [
      number,
      number,
      number,
      number,
    ]
    const config = path.join(folder, 'config')
    const state = path.join(folder, 'state')
    mkdirSync(config)
    writeFileSync(path.join(config, 'mesh.yaml'), meshYaml(backendPort, listenPort))
    const env = { WEFT_LOG_LEVEL: 'warn', WEFT_EXIT_WITH_PARENT: '1' }
    const controlPlane = startProcess(
      process.execPath,
      [
        main,
        'control-plane',
        '--config',
        config,
        '--state',
        state,
        '--grpc-address',
        `127.0.0.1:${grpcPort}`,
        '--admin-address',
        `127.0.0.1:${controlAdmin}`,
      ],
      env,
    )
    await untilReady('control plane', controlAdmin, 20_000)
    copyFileSync(path.join(state, 'root-cert.pem'), path.join(folder, 'roots.pem'))
    const token = path.join(folder, 'token')
    writeFileSync(
      token,
      createWorkloadToken({ state, namespace: 'bench', serviceAccount: 'client', ttl: '1h' }),
      { mode: 0o600 },
    )
    const sidecar = startProcess(
      process.execPath,
      [
        ...[
          main,
          'proxy',
          '--control-plane',
          `127.0.0.1:${grpcPort}`,
          '--control-plane-ca',
          path.join(folder, 'roots.pem'),
          '--token-file',
          token,
        ],
        ...['--namespace', 'bench', '--pod', 'client', '--service-account', 'client'],
        ...['--outbound-address', `127.0.0.1:${port}`, '--admin-address', `127.0.0.1:${adminPort}`],
      ],
      env,
    )
    await untilReady('sidecar', adminPort, 20_000)
    const stop = async (): Promise<void> => {
      await Promise.all([stopProcess(sidecar), stopProcess(controlPlane)])
    }
    return { port, pid: sidecar.pid as number, stop }
  },
}
