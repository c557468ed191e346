/**
 * A mesh of two real processes: a control plane, and one sidecar whose `app.test:80` leads through itself, out and in
 * again over mesh TLS, to the application.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePorts } from '../../cli/demo/ports.ts'
import { untilAnswering } from '../../cli/demo/sidecar-admin.ts'
import { createWorkloadToken } from '../../cli/token.ts'
import { meshedServiceYaml } from './meshed-service.ts'
import { type ObservedProcess, startObserved } from './observed-process.ts'

export type MeshProcesses = {
  readonly controlPlane: ObservedProcess
  readonly sidecar: ObservedProcess
  readonly ports: {
    readonly outbound: number
    readonly inbound: number
    readonly sidecarAdmin: number
    readonly grpc: number
    readonly insecureXds: number
    readonly controlPlaneAdmin: number
  }
  /** The mesh's root certificate, PEM. */
  readonly roots: Buffer
  readonly stop: () => Promise<void>
}

/** `sidecarSettings` are further arguments of the sidecar. */
export async function startMeshProcesses(
  applicationPort: number,
  sidecarSettings: readonly string[] = [],
): Promise<MeshProcesses> {
  const [outbound = 0, inbound = 0, sidecarAdmin = 0, grpc = 0, insecureXds = 0, controlPlaneAdmin = 0] =
    await freePorts(6)
  const folder = mkdtempSync(path.join(tmpdir(), 'weft-processes-'))
  const state = path.join(folder, 'state')
  mkdirSync(path.join(folder, 'config'))
  const app = { name: 'app', namespace: 'test', port: 80, listenPort: inbound, applicationPort }
  writeFileSync(path.join(folder, 'config', 'mesh.yaml'), meshedServiceYaml(app))
  const controlPlane = await startObserved('control-plane', [
    `--config=${path.join(folder, 'config')}`,
    `--state=${state}`,
    `--grpc-address=127.0.0.1:${grpc}`,
    `--insecure-xds-address=127.0.0.1:${insecureXds}`,
    `--admin-address=127.0.0.1:${controlPlaneAdmin}`,
    '--log-level=warn',
  ])
  await ready(controlPlane, controlPlaneAdmin)
  const tokenFile = path.join(folder, 'token')
  const token = createWorkloadToken({ state, namespace: 'test', serviceAccount: 'app', ttl: '1h' })
  writeFileSync(tokenFile, token, { mode: 0o600 })
  const sidecar = await startObserved('proxy', [
    `--control-plane=127.0.0.1:${grpc}`,
    `--control-plane-ca=${path.join(state, 'root-cert.pem')}`,
    `--token-file=${tokenFile}`,
    '--namespace=test',
    '--pod=app',
    '--service-account=app',
    `--outbound-address=127.0.0.1:${outbound}`,
    `--admin-address=127.0.0.1:${sidecarAdmin}`,
    '--outbound-policy=deny',
    '--log-level=warn',
    ...sidecarSettings,
  ])
  await ready(sidecar, sidecarAdmin)
  return {
    controlPlane,
    sidecar,
    roots: readFileSync(path.join(state, 'root-cert.pem')),
    ports: { outbound, inbound, sidecarAdmin, grpc, insecureXds, controlPlaneAdmin },
    stop: async () => {
      await sidecar.stop()
      await controlPlane.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function ready(started: ObservedProcess, port: number): Promise<void> {
  const fallen = (): string | undefined => started.ended() && `${started.name} ended: ${started.log()}`
  return untilAnswering({ name: started.name, port, path: '/ready', timeoutMs: 45_000, fallen })
}
