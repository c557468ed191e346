/** `weft control-plane --kubernetes` as a process of its own, with the rights of its ServiceAccount and no others. */
import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { freePorts } from '../../cli/demo/ports.ts'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { installManifests, toYaml } from '../../deploy/manifests/manifests.ts'
import { accountKubeconfig } from './account-kubeconfig.ts'
import type { ApiServer } from './api-server.ts'
import { spawnLimited, stopChild } from './sidecar-process.ts'

const main = path.join(import.meta.dirname, '../../cli/main.ts')
const startTimeoutMs = 60_000

export class ClusterControlPlane {
  readonly grpcPort: number
  readonly adminPort: number
  readonly #child: ChildProcess
  #log = ''

  private constructor(child: ChildProcess, grpcPort: number, adminPort: number) {
    this.#child = child
    this.grpcPort = grpcPort
    this.adminPort = adminPort
    child.stdout?.on('data', (piece: Buffer) => {
      this.#log += piece.toString()
    })
  }

  /** Starts it; it may wait for the API server for as long as it takes. */
  static async start(
    kubeconfig: string,
    ports?: { readonly grpcPort: number /** On every address. */; readonly adminPort?: number },
    flags: readonly string[] = [],
  ): Promise<ClusterControlPlane> {
    const [free = 0, freeAdmin = 0] = await freePorts(2)
    const adminPort = ports?.adminPort ?? freeAdmin
    const adminHost = ports?.adminPort === undefined ? '127.0.0.1' : '0.0.0.0'
    const grpcPort = ports?.grpcPort ?? free
    const args = [
      main,
      'control-plane',
      '--kubernetes',
      '--root-secret=weft/weft-root',
      `--grpc-address=127.0.0.1:${grpcPort}`,
      `--admin-address=${adminHost}:${adminPort}`,
      ...flags,
    ]
    const child = spawnLimited(args, undefined, { KUBECONFIG: kubeconfig })
    return new ClusterControlPlane(child, grpcPort, adminPort)
  }

  get pid(): number {
    return this.#child.pid as number
  }

  get log(): string {
    return this.#log
  }

  /** Resident memory, as the kernel counts it. */
  rssBytes(): number {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]
    return Number(kib) * 1024
  }

  /** 0 when nobody answers. */
  async status(page: string): Promise<number> {
    return (await fetchText(this.adminPort, page)).status
  }

  async page<T>(name: string): Promise<T> {
    return JSON.parse((await fetchText(this.adminPort, name)).text) as T
  }

  /** Resolves with how long it took until /ready. Rejects after a minute. */
  async untilReady(): Promise<number> {
    const begunMs = performance.now()
    for (;;) {
      if ((await this.status('/ready')) === 200) return performance.now() - begunMs
      if (this.#child.exitCode !== null) throw new Error(`the control plane ended: ${this.#log}`)
      if (performance.now() - begunMs > startTimeoutMs) throw new Error(`not ready: ${this.#log}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** What reaches it waits until `resume`. */
  pause(): void {
    this.#child.kill('SIGSTOP')
  }

  resume(): void {
    this.#child.kill('SIGCONT')
  }

  stop(): Promise<void> {
    return stopChild(this.#child)
  }
}

const install = {
  image: 'weft:test',
  imagePullPolicy: 'IfNotPresent',
  trustDomain: 'cluster.local',
  interception: 'init',
  ha: false,
} as const
/** What is running is a process of the test and no pod. */
const ofPods: ReadonlySet<string> = new Set(['Deployment', 'Service', 'MutatingWebhookConfiguration'])

/**
 * Makes what `weft install` does, but what runs in pods and the CRDs; gives the kubeconfig of the control plane's
 * ServiceAccount, in `folder`. `port`: of this machine, where it reaches the API server.
 */
export async function controlPlaneAccount(server: ApiServer, folder: string, port?: number): Promise<string> {
  await server.apply(toYaml(installManifests(install).filter(({ kind }) => !ofPods.has(kind))))
  return accountKubeconfig(server, 'weft-control-plane', folder, undefined, port)
}
