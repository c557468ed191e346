/** A mesh of real processes: a control plane over a folder, and sidecars that it knows. */
import { copyFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { freePorts } from '../../cli/demo/ports.ts'
import { createWorkloadToken } from '../../cli/token.ts'
import type { MeasuredProcess } from '../peer.ts'
import type { Launched } from './sides.ts'
import { launchWeft } from './weft-process.ts'

const namespace = 'bench'

export type Sidecar = Launched & MeasuredProcess & { readonly adminPort: number }

/** What differs between two sidecars. */
export type Place = {
  readonly role: MeasuredProcess['role']
  readonly pod: string
  readonly outboundPort: number
  /** Another bundle than the usual one. */
  readonly bundle?: string
}

/** A mesh in one folder: its control plane, and what a sidecar needs to join it. */
export class Mesh {
  readonly #folder: string
  readonly #grpcPort: number
  /** Of the control plane. */
  readonly adminPort: number
  readonly controlPlane: Launched

  private constructor(folder: string, grpcPort: number, adminPort: number, controlPlane: Launched) {
    this.#folder = folder
    this.#grpcPort = grpcPort
    this.adminPort = adminPort
    this.controlPlane = controlPlane
  }

  static async start(folder: string, yaml: string): Promise<Mesh> {
    const [grpcPort, adminPort] = (await freePorts(2)) as [number, number]
    mkdirSync(path.join(folder, 'config'))
    writeFileSync(path.join(folder, 'config', 'mesh.yaml'), yaml)
    const controlPlane = await launchWeft('control-plane', adminPort, {
      config: path.join(folder, 'config'),
      state: path.join(folder, 'state'),
      'grpc-address': `127.0.0.1:${grpcPort}`,
      'admin-address': `127.0.0.1:${adminPort}`,
    })
    copyFileSync(path.join(folder, 'state', 'root-cert.pem'), path.join(folder, 'roots.pem'))
    return new Mesh(folder, grpcPort, adminPort, controlPlane)
  }

  /** Puts another mesh in force, as an editor does: a new file takes the old one's place. */
  write(yaml: string): void {
    const fresh = path.join(this.#folder, 'fresh.yaml')
    writeFileSync(fresh, yaml)
    renameSync(fresh, path.join(this.#folder, 'config', 'mesh.yaml'))
  }

  /** A sidecar with an identity that the control plane's CA has signed. */
  async startSidecar(
    { role, pod, outboundPort, bundle }: Place,
    more: Readonly<Record<string, string>>,
    nodeArgs: readonly string[] = [],
  ): Promise<Sidecar> {
    const [adminPort] = (await freePorts(1)) as [number]
    const state = path.join(this.#folder, 'state')
    const tokenFile = path.join(this.#folder, `${pod}.token`)
    const token = createWorkloadToken({ state, namespace, serviceAccount: pod, ttl: '24h' })
    writeFileSync(tokenFile, token, { mode: 0o600 })
    const settings = {
      'control-plane': `127.0.0.1:${this.#grpcPort}`,
      'control-plane-ca': path.join(this.#folder, 'roots.pem'),
      'token-file': tokenFile,
      namespace,
      pod,
      'service-account': pod,
      'outbound-address': `127.0.0.1:${outboundPort}`,
      'admin-address': `127.0.0.1:${adminPort}`,
      ...more,
    }
    const how = bundle === undefined ? { nodeArgs } : { nodeArgs, file: bundle }
    return { role, adminPort, ...(await launchWeft('proxy', adminPort, settings, how)) }
  }
}
