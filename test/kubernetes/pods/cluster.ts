/** A cluster with weft installed as users install it, whose pods run: in network namespaces, from what their specs say. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { installText } from '../../../cli/install.ts'
import { version } from '../../../core/version.ts'
import { ApiServer } from '../../support/api-server.ts'
import { Network, ownPrefix } from '../../system/network.ts'
import { ClusterApi } from './cluster-api.ts'
import { makeImages } from './images.ts'
import { Kubelet } from './kubelet.ts'
import type { RunningPod } from './running-pod.ts'

const timeoutMs = 60_000
/** So that any namespace takes it. */
const fitForRestricted = {
  securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'app',
      image: 'app',
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
  ],
}

export class Cluster {
  readonly server: ApiServer
  readonly api: ClusterApi
  readonly network: Network
  readonly kubelet: Kubelet
  readonly folder: string

  private constructor(parts: Pick<Cluster, 'server' | 'api' | 'network' | 'kubelet' | 'folder'>) {
    this.server = parts.server
    this.api = parts.api
    this.network = parts.network
    this.kubelet = parts.kubelet
    this.folder = parts.folder
  }

  /** Resolves when both of weft's Deployments are ready, and new pods go through the webhook. */
  static async start(): Promise<Cluster> {
    const folder = mkdtempSync(path.join(tmpdir(), ownPrefix))
    chmodSync(folder, 0o755)
    mkdirSync(path.join(folder, 'pods'))
    const [server, images] = await Promise.all([ApiServer.start(), makeImages(folder)])
    const api = new ClusterApi(server.kubeconfig)
    const network = new Network('here')
    const kubelet = await Kubelet.start({ api, network, images, folder: path.join(folder, 'pods') })
    const cluster = new Cluster({ server, api, network, kubelet, folder })
    const install = { image: `weft:${version}`, imagePullPolicy: 'IfNotPresent', ha: false } as const
    await server.apply(installText({ ...install, trustDomain: 'cluster.local', interception: 'init' }))
    await cluster.ready('weft', 2)
    return cluster
  }

  /** Makes a namespace; in a meshed one, resolves when the webhook is asked about its pods. */
  async addNamespace(
    name: string,
    annotations: Readonly<Record<string, string>>,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await this.server.apply(
      JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, annotations, labels } }),
    )
    const at = `/api/v1/namespaces/${name}`
    await this.until(`the ServiceAccount of ${name}`, async () => {
      const accounts = await this.api.list<{ readonly metadata: { readonly name: string } }>(
        `${at}/serviceaccounts`,
      )
      return accounts.some(({ metadata }) => metadata.name === 'default')
    })
    if (annotations['weft.dev/inject'] !== 'enabled') return
    const trial = { metadata: { name: 'trial' }, spec: fitForRestricted }
    await this.until('the webhook', async () =>
      JSON.stringify(await this.api.call('POST', `${at}/pods?dryRun=All`, trial)).includes('weft-proxy'),
    )
  }

  /** Resolves with a namespace's pods, by name, when there are `count`, all are ready, and Services lead to them. */
  async ready(namespace: string, count: number, begin = ''): Promise<readonly RunningPod[]> {
    const here = () => this.pods(namespace).filter(({ name }) => name.startsWith(begin))
    await this.until(`${count} ready pods of ${namespace} ${begin}`, () => {
      const pods = here()
      return pods.length === count && pods.every(({ ready }) => ready)
    })
    // A whole look from now on carries the Services that came with them: the one under way may have begun before.
    const { looks } = this.kubelet
    await this.until('names and addresses of Services', () => this.kubelet.looks >= looks + 2)
    return here()
  }

  /** By name. */
  pods(namespace: string): readonly RunningPod[] {
    return this.kubelet.pods
      .filter(({ pod }) => pod.metadata.namespace === namespace)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  async until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
    const deadline = performance.now() + timeoutMs
    while (!(await holds())) {
      const { faults } = this.kubelet
      if (faults.length > 0) throw new Error(`${what}: ${faults.join('\n')}`)
      if (performance.now() > deadline) throw new Error(`${what}: not in time: ${this.#state()}`)
      await new Promise((resolve) => void setTimeout(resolve, 100))
    }
  }

  async stop(): Promise<void> {
    await this.kubelet.stop()
    await this.network.remove()
    this.api.close()
    await this.server.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #state(): string {
    const pods = this.kubelet.pods.map((pod) => `${pod.name} ${pod.ready ? 'ready' : pod.logs()}`)
    return `${pods.join('\n')}\n${spawnSync('iptables-save', ['-t', 'nat'], { encoding: 'utf8' }).stdout}`
  }
}
