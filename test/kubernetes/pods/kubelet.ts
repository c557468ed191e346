/** Plays what a cluster has on its nodes: scheduler, kubelet, kube-proxy and name server, for all pods of an API server. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { run } from '../../system/network.ts'
import { startDns } from './cluster-dns.ts'
import { serviceNames, serviceRules, type ServiceObject, type SliceObject } from './cluster-services.ts'
import type { Pod } from './pod-manifest.ts'
import { type KubeletParts, RunningPod } from './running-pod.ts'

const nodes = ['node-1', 'node-2', 'node-3'] as const
const lookEveryMs = 200
const clusterNetworks = ['10.96.0.0/16', 'fd96::/108'] as const

export class Kubelet {
  readonly #parts: KubeletParts
  readonly #pods = new Map<string, RunningPod>()
  readonly #faults: string[] = []
  readonly #stopDns: () => void
  #looks = 0
  #names: ReadonlyMap<string, readonly string[]> = new Map()
  #rules = ''
  #stopped = false
  #looking: Promise<void>

  private constructor(parts: KubeletParts, stopDns: () => void) {
    this.#parts = parts
    this.#stopDns = stopDns
    this.#looking = this.#look()
  }

  /** Makes the nodes and begins to run every pod there is. */
  static async start(parts: KubeletParts): Promise<Kubelet> {
    writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
    writeFileSync('/proc/sys/net/ipv6/conf/all/forwarding', '1')
    // The API server listens on loopback, and pods reach it by its cluster address.
    writeFileSync(`/proc/sys/net/ipv4/conf/${parts.network.hub.link}/route_localnet`, '1')
    for (const network of clusterNetworks) run('ip', ['route', 'add', network, 'dev', parts.network.hub.link])
    for (const name of nodes)
      await parts.api.call('POST', '/api/v1/nodes', {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, labels: { 'kubernetes.io/hostname': name } },
      })
    let kubelet: Kubelet | undefined
    const stopDns = await startDns(parts.network.hub.v4, (name) => kubelet?.addressesOf(name))
    kubelet = new Kubelet(parts, stopDns)
    return kubelet
  }

  /** What went wrong with pods. */
  get faults(): readonly string[] {
    return this.#faults
  }

  get pods(): readonly RunningPod[] {
    return [...this.#pods.values()]
  }

  /** How often it has looked at everything there is. */
  get looks(): number {
    return this.#looks
  }

  addressesOf(name: string): readonly string[] | undefined {
    return this.#names.get(name)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#stopDns()
    await this.#looking
    await Promise.all(this.pods.map((pod) => pod.stop()))
  }

  async #look(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#once()
        this.#looks++
      } catch (error) {
        if (!this.#stopped) this.#faults.push(String(error))
      }
      await new Promise((resolve) => void setTimeout(resolve, lookEveryMs))
    }
  }

  async #once(): Promise<void> {
    const { api } = this.#parts
    const [pods, services, slices] = await Promise.all([
      api.list<Pod>('/api/v1/pods'),
      api.list<ServiceObject>('/api/v1/services'),
      api.list<SliceObject>('/apis/discovery.k8s.io/v1/endpointslices'),
    ])
    this.#names = serviceNames(services, slices)
    this.#carry(services, slices)
    for (const pod of pods) if (!this.#pods.has(pod.metadata.uid)) await this.#take(pod)
  }

  #carry(services: readonly ServiceObject[], slices: readonly SliceObject[]): void {
    const toApi = `-A CLUSTER -d 10.96.0.1 -p tcp --dport 443 -j DNAT --to-destination 127.0.0.1:${this.#parts.api.port}`
    const [v4, v6] = [serviceRules(4, services, slices, [toApi]), serviceRules(6, services, slices)]
    if (v4 + v6 === this.#rules) return
    this.#rules = v4 + v6
    for (const [tool, input] of [
      ['iptables-restore', v4],
      ['ip6tables-restore', v6],
    ] as const) {
      const { status, stderr } = spawnSync(tool, [], { input, encoding: 'utf8' })
      if (status !== 0) throw new Error(`${tool}: ${stderr}\n${input}`)
    }
  }

  async #take(pod: Pod): Promise<void> {
    const { namespace, name, uid } = pod.metadata
    const number = this.#pods.size + 1
    const target = { apiVersion: 'v1', kind: 'Node', name: nodes[number % nodes.length] }
    await this.#parts.api.call('POST', `/api/v1/namespaces/${namespace}/pods/${name}/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace },
      target,
    })
    const running = new RunningPod(this.#parts, pod, number)
    this.#pods.set(uid, running)
    running.run().catch((error: unknown) => this.#faults.push(String(error)))
  }
}
