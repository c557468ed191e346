/**
 * A mesh as in a cluster: each pod a network namespace whose connections `weft init` redirects to a sidecar of user
 * 2102, applications that know nothing of it, and a control plane on the network between them.
 */
import type { ChildProcess } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { initContainerName } from '../../api/deployment.ts'
import { sidecarUid } from '../../api/ports.ts'
import { createWorkloadToken } from '../../cli/token.ts'
import { Network, ownPrefix, type PodNetwork } from './network.ts'

const main = path.join(import.meta.dirname, '../../cli/main.ts')
const namespace = 'shop'
const readyTimeoutMs = 45_000
/** Neither root nor the sidecar's. */
export const applicationUid = 65_534

export type Pod = PodNetwork & { readonly name: string; readonly log: () => string }

/** What the mesh is told of a pod, and what is redirected in it. */
export type PodPlan = {
  readonly containerPorts: readonly number[]
  readonly init?: readonly string[]
  readonly sidecar?: readonly string[]
}

export class RedirectedMesh {
  readonly network = new Network()
  readonly folder = mkdtempSync(path.join(tmpdir(), ownPrefix))
  readonly #documents: string[] = []

  constructor() {
    // Sidecars and applications are other users than we are.
    chmodSync(this.folder, 0o755)
    for (const name of ['config', 'state', 'pods']) mkdirSync(path.join(this.folder, name))
  }

  /** A pod of the mesh; its sidecar starts with `startSidecar`, once the control plane runs. */
  addPod(name: string, plan: PodPlan): Pod {
    const pod = this.network.addPod(name)
    const ports = plan.containerPorts.map((containerPort) => ({ containerPort }))
    this.#add('v1', 'Pod', name, {
      spec: {
        serviceAccountName: name,
        initContainers: [{ name: initContainerName, args: plan.init ?? [] }],
        containers: [{ name: 'app', ports }],
      },
      status: { podIPs: [{ ip: pod.v4 }, { ip: pod.v6 }] },
    })
    return { ...pod, name, log: () => '' }
  }

  /** A Service with cluster addresses of both families, whose one endpoint is `pod`. */
  addService(name: string, clusterIPs: readonly string[], pod: Pod, ports: readonly number[]): void {
    const named = ports.map((port) => ({ name: `p${port}`, port }))
    this.#add('v1', 'Service', name, { spec: { clusterIPs, ports: named } })
    for (const [addressType, address] of [
      ['IPv4', pod.v4],
      ['IPv6', pod.v6],
    ] as const)
      this.#add(
        'discovery.k8s.io/v1',
        'EndpointSlice',
        `${name}-${addressType.toLowerCase()}`,
        {
          addressType,
          ports: named,
          endpoints: [{ addresses: [address], targetRef: { kind: 'Pod', namespace, name: pod.name } }],
        },
        { labels: { 'kubernetes.io/service-name': name } },
      )
  }

  /** An SMI TrafficSplit. */
  addSplit(apex: string, weights: Readonly<Record<string, number>>): void {
    const backends = Object.entries(weights).map(([service, weight]) => ({ service, weight }))
    this.#add('split.smi-spec.io/v1alpha2', 'TrafficSplit', apex, { spec: { service: apex, backends } })
  }

  async startControlPlane(): Promise<void> {
    const annotations = { 'weft.dev/inject': 'enabled' }
    const documents = [
      ...this.#documents,
      JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, annotations } }),
    ]
    writeFileSync(path.join(this.folder, 'config', 'mesh.yaml'), documents.join('\n---\n'))
    const { hub } = this.network
    const child = this.network.start(hub, 0, process.execPath, main, 'control-plane', ...this.#controlPlane())
    await this.#ready('control plane', hub, 9990, logOf(child))
    copyFileSync(path.join(this.folder, 'state', 'root-cert.pem'), path.join(this.folder, 'roots.pem'))
    chmodSync(path.join(this.folder, 'roots.pem'), 0o644)
  }

  /** Redirects the pod's connections and starts its sidecar; resolves when that is ready. */
  async startSidecar(pod: Pod, { init = [], sidecar = [] }: PodPlan): Promise<Pod> {
    this.network.run(pod, process.execPath, main, 'init', ...init)
    const log = logOf(
      this.network.start(
        pod,
        sidecarUid,
        process.execPath,
        main,
        'proxy',
        '--mode=redirect',
        `--control-plane=${this.network.hub.v4}:8086`,
        `--control-plane-ca=${path.join(this.folder, 'roots.pem')}`,
        `--token-file=${this.#token(pod.name)}`,
        `--namespace=${namespace}`,
        `--pod=${pod.name}`,
        `--service-account=${pod.name}`,
        '--detect-timeout=1s',
        ...sidecar,
      ),
    )
    await this.#ready(`sidecar of ${pod.name}`, pod, 4191, log)
    return { ...pod, log }
  }

  /** Starts an application of a pod and waits until something listens on `port`. */
  async startApplication(
    pod: PodNetwork,
    port: number,
    ...command: readonly [string, ...string[]]
  ): Promise<void> {
    const log = logOf(this.network.start(pod, applicationUid, ...command))
    await until(
      () => this.network.run(pod, 'ss', '-Hltn', `sport = :${port}`) !== '',
      () => `${command[0]} does not listen on ${port}: ${log()}`,
    )
  }

  /** What a pod's curl gets; `--fail` is not set, so that every status is an answer. */
  curl(pod: PodNetwork, ...args: readonly string[]): string {
    return this.network.run(pod, 'curl', '-sS', '--max-time', '10', ...args)
  }

  /** The sum of the samples of a family in a sidecar's metrics whose labels include all of `labels`. */
  metric(pod: Pod, family: string, ...labels: readonly string[]): number {
    return this.curl(pod, 'http://127.0.0.1:4191/metrics')
      .split('\n')
      .filter((line) => line.startsWith(`${family}{`) && labels.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  async remove(): Promise<void> {
    await this.network.remove()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #controlPlane(): readonly string[] {
    return [
      `--config=${path.join(this.folder, 'config')}`,
      `--state=${path.join(this.folder, 'state')}`,
      `--grpc-address=${this.network.hub.v4}:8086`,
    ]
  }

  #token(serviceAccount: string): string {
    const file = path.join(this.folder, 'pods', serviceAccount)
    const state = path.join(this.folder, 'state')
    writeFileSync(file, createWorkloadToken({ state, namespace, serviceAccount, ttl: '1h' }), { mode: 0o400 })
    chownSync(file, sidecarUid, sidecarUid)
    return file
  }

  #add(apiVersion: string, kind: string, name: string, rest: object, metadata: object = {}): void {
    this.#documents.push(
      JSON.stringify({ apiVersion, kind, metadata: { name, namespace, ...metadata }, ...rest }),
    )
  }

  #ready(name: string, pod: PodNetwork, adminPort: number, log: () => string): Promise<void> {
    const url = `http://127.0.0.1:${adminPort}/ready`
    return until(
      () => {
        try {
          return this.network.run(pod, 'curl', '-sf', '--max-time', '2', url) !== ''
        } catch {
          return false // It does not listen yet.
        }
      },
      () => `${name} is not ready: ${log()}`,
    )
  }
}

function logOf(child: ChildProcess): () => string {
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (piece: Buffer) => {
      log += piece.toString()
    })
  return () => log
}

async function until(holds: () => boolean, otherwise: () => string): Promise<void> {
  const deadline = performance.now() + readyTimeoutMs
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(otherwise())
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
