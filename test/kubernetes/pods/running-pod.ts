/** One pod as a kubelet runs it: sandbox, volumes, init containers in turn, containers, probes, and its end. */
import { type ChildProcess, execFile } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Network, PodNetwork } from '../../system/network.ts'
import type { ClusterApi } from './cluster-api.ts'
import { addToNetwork } from './cni-plugin.ts'
import { commandOf, environmentOf, privileges } from './container-command.ts'
import { containerPath, containerScript, type Image, type Mount } from './container-root.ts'
import type { Container, Handler, Pod } from './pod-manifest.ts'
import { makeVolume } from './volumes.ts'

const startupTimeoutMs = 60_000
const probeEveryMs = 200
const probeTimeoutMs = 2_000

export type KubeletParts = {
  readonly api: ClusterApi
  readonly network: Network
  readonly folder: string
  /** By the name of the image, without its tag. */
  readonly images: Readonly<Record<string, Image>>
}

type Running = {
  readonly container: Container
  readonly child: ChildProcess
  readonly log: () => string
  readonly ended: Promise<number | null>
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))

function portOf(port: number | string, { name, ports = [] }: Container): number {
  if (typeof port === 'number') return port
  const named = ports.find((candidate) => candidate.name === port)
  if (named === undefined) throw new Error(`container ${name} has no port ${port}`)
  return named.containerPort
}

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: probeTimeoutMs })
    const end = (holds: boolean): void => {
      socket.destroy()
      resolve(holds)
    }
    socket.once('connect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.on('error', () => end(false))
  })
}

export class RunningPod {
  readonly pod: Pod
  readonly network: PodNetwork
  readonly #parts: KubeletParts
  readonly #folder: string
  readonly #running = new Map<string, Running>()
  #ended = false
  #asking: Promise<void> | undefined
  ready = false
  /** What the API server was told last. */
  phase = ''

  constructor(parts: KubeletParts, pod: Pod, number: number) {
    this.#parts = parts
    this.pod = pod
    this.network = parts.network.addPod(`p${number}`)
    this.#folder = path.join(parts.folder, pod.metadata.uid)
    mkdirSync(this.#folder)
  }

  get name(): string {
    return this.pod.metadata.name
  }

  /** What a container has said so far. */
  log(container: string): string {
    return this.#running.get(container)?.log() ?? ''
  }

  /** What all of them have, for who looks for a fault. */
  logs(): string {
    return [...this.#running.values()].map(({ container, log }) => `${container.name}: ${log()}`).join('\n')
  }

  /** Starts everything; resolves when the pod has ended, or its containers run and are asked whether they are ready. */
  async run(): Promise<void> {
    const { spec } = this.pod
    await this.#patch({ phase: 'Pending' })
    for (const volume of spec.volumes ?? [])
      await makeVolume(
        this.#parts.api,
        this.pod,
        this.network.v4,
        volume,
        path.join(this.#folder, volume.name),
      )
    this.#writeNetworkFiles()
    addToNetwork(this.#parts.network, this.network, this.pod)
    for (const container of spec.initContainers ?? []) {
      const running = this.#start(container)
      if (container.restartPolicy === 'Always') await this.#started(running)
      else if ((await running.ended) !== 0) throw this.#fault(running, 'failed')
    }
    for (const container of spec.containers) await this.#started(this.#start(container))
    await this.#patch({ phase: 'Running' })
    const mains = spec.containers.map(({ name }) => this.#running.get(name) as Running)
    const statuses = Promise.all(mains.map(({ ended }) => ended))
    void statuses.then(() => {
      this.#ended = true
    })
    this.#asking = this.#askWhetherReady()
    if (spec.restartPolicy === 'Always') return
    const failed = (await statuses).some((status) => status !== 0)
    // Native sidecars end after the last container that is none, the kubelet sees to it.
    await this.#endSidecars()
    await this.#patch({ phase: failed ? 'Failed' : 'Succeeded' })
  }

  /** Resolves when nobody asks it any more whether it is ready: the API server, which is told, may go. */
  async stop(): Promise<void> {
    this.#ended = true
    await this.#asking
  }

  /** Runs a program in a container to its end and gives its output, as `kubectl exec` does. */
  async exec(name: string, ...command: readonly string[]): Promise<string> {
    return (await this.#execute(this.#of(name), command)).stdout
  }

  /** Runs a container that has ended once more; gives its exit status. */
  runAgain(name: string): Promise<number | null> {
    const { container } = this.#of(name)
    return this.#start({ ...container, name: `${name}-again` }).ended
  }

  /** Ends a container that is not to be started again. */
  kill(name: string): void {
    this.#of(name).child.kill('SIGKILL')
  }

  #of(name: string): Running {
    const running = this.#running.get(name)
    if (running === undefined) throw new Error(`${this.name} runs no container ${name}`)
    return running
  }

  /** Not at once: this process is the name server, too. */
  #execute({ container, child }: Running, command: readonly string[]) {
    const { uid } = this.#image(container)
    const inside = ['env', '-i', `PATH=${containerPath}`, ...privileges(this.pod, container, uid), ...command]
    const target = ['--target', String(child.pid), '--net', '--mount', '--root', '--wd=/']
    return promisify(execFile)('nsenter', [...target, ...inside], { timeout: 20_000 })
  }

  #image({ image }: Container): Image {
    const found = this.#parts.images[image.replace(/:[^:/]*$/, '')]
    if (found === undefined) throw new Error(`there is no image ${image}`)
    return found
  }

  /** The name server's address and how its names are completed, and the pod's own name. */
  #writeNetworkFiles(): void {
    const domain = 'svc.cluster.local'
    const { namespace } = this.pod.metadata
    const resolver = `nameserver ${this.#parts.network.hub.v4}\nsearch ${namespace}.${domain} ${domain} cluster.local\noptions ndots:5\n`
    writeFileSync(path.join(this.#folder, 'resolv.conf'), resolver)
    const hosts = `127.0.0.1 localhost\n::1 localhost\n${this.network.v4} ${this.pod.spec.hostname ?? this.name}\n`
    writeFileSync(path.join(this.#folder, 'hosts'), hosts)
    for (const file of ['resolv.conf', 'hosts']) chmodSync(path.join(this.#folder, file), 0o644)
  }

  #mounts(container: Container): readonly Mount[] {
    const image = this.#image(container)
    const readOnly = true
    const ofImage = { '/image': image.programs, '/runtime/node': process.execPath, ...image.folders }
    const ofPod = { '/etc/resolv.conf': 'resolv.conf', '/etc/hosts': 'hosts' }
    return [
      ...Object.entries(ofImage).map(([target, source]) => ({ source, target, readOnly })),
      ...Object.entries(ofPod).map(([target, name]) => ({
        source: path.join(this.#folder, name),
        target,
        readOnly,
      })),
      ...(container.volumeMounts ?? []).map((mount) => ({
        source: path.join(this.#folder, mount.name),
        target: mount.mountPath,
        readOnly: mount.readOnly === true,
      })),
    ]
  }

  #start(container: Container): Running {
    const image = this.#image(container)
    const root = path.join(this.#folder, `root-${container.name}`)
    mkdirSync(root)
    const variables = environmentOf(this.pod, this.network.v4, container)
    const command = [
      ...privileges(this.pod, container, image.uid),
      ...commandOf(container, image.entrypoint, variables),
    ]
    const readOnlyRoot = container.securityContext?.readOnlyRootFilesystem === true
    const all = new Map([['KUBERNETES_SERVICE_HOST', '10.96.0.1'], ['HOSTNAME', this.name], ...variables])
    const script = path.join(this.#folder, `${container.name}.sh`)
    writeFileSync(
      script,
      containerScript(root, this.#mounts(container), readOnlyRoot, all, image.workFolder, command),
    )
    const child = this.#parts.network.start(this.network, 0, 'sh', script)
    let log = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (piece: Buffer) => {
        log += piece.toString()
      })
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    const running = { container, child, log: () => log, ended }
    this.#running.set(container.name, running)
    return running
  }

  /** Resolves when the startup probe succeeds; without one, at once. */
  async #started(running: Running): Promise<void> {
    const { startupProbe } = running.container
    const deadline = performance.now() + startupTimeoutMs
    while (startupProbe !== undefined && !(await this.#probe(running, startupProbe))) {
      if (running.child.exitCode !== null) throw this.#fault(running, 'ended')
      if (performance.now() > deadline) throw this.#fault(running, 'has not started in time')
      await pause(probeEveryMs)
    }
  }

  #fault({ container, log }: Running, what: string): Error {
    return new Error(`container ${container.name} of pod ${this.name} ${what}: ${log()}`)
  }

  /** Asked from the node: from the other end of the pod's link. */
  async #probe(running: Running, { httpGet, tcpSocket, exec }: Handler): Promise<boolean> {
    const { container } = running
    if (httpGet !== undefined) {
      const url = `http://${this.network.v4}:${portOf(httpGet.port, container)}${httpGet.path ?? '/'}`
      const signal = AbortSignal.timeout(probeTimeoutMs)
      return fetch(url, { signal }).then(
        async (reply) => {
          await reply.arrayBuffer()
          return reply.status >= 200 && reply.status < 400
        },
        () => false,
      )
    }
    if (tcpSocket !== undefined) return connects(this.network.v4, portOf(tcpSocket.port, container))
    if (exec !== undefined)
      return this.#execute(running, exec.command).then(
        () => true,
        () => false,
      )
    throw new Error(`container ${container.name} has a probe that this kubelet does not know`)
  }

  /** By name of the container and kind of the probe: what each of the pod's probes says just now. */
  async probes(): Promise<Readonly<Record<string, boolean>>> {
    const results: Record<string, boolean> = {}
    for (const running of this.#running.values())
      for (const kind of ['startupProbe', 'readinessProbe', 'livenessProbe'] as const) {
        const handler = running.container[kind]
        if (handler !== undefined)
          results[`${running.container.name}/${kind}`] = await this.#probe(running, handler)
      }
    return results
  }

  async #askWhetherReady(): Promise<void> {
    const asked = [...this.#running.values()].filter(
      ({ container }) => container.readinessProbe !== undefined,
    )
    for (;;) {
      const answers = await Promise.all(
        asked.map((running) => this.#probe(running, running.container.readinessProbe as Handler)),
      )
      if (this.#ended) return
      const ready = answers.every(Boolean)
      if (ready !== this.ready) {
        this.ready = ready
        await this.#patch({ phase: 'Running' })
      }
      await pause(ready ? 5 * probeEveryMs : probeEveryMs)
    }
  }

  async #endSidecars(): Promise<void> {
    const sidecars = (this.pod.spec.initContainers ?? []).filter(
      ({ restartPolicy }) => restartPolicy === 'Always',
    )
    for (const { name } of sidecars) {
      const { child, ended } = this.#of(name)
      child.kill('SIGTERM')
      await ended
    }
  }

  async #patch({ phase }: { readonly phase: string }): Promise<void> {
    const { namespace, name } = this.pod.metadata
    const { v4, v6 } = this.network
    this.phase = phase
    const ended = phase === 'Succeeded' || phase === 'Failed'
    const ready = this.ready && !ended ? 'True' : 'False'
    const conditions = [
      { type: 'PodScheduled', status: 'True' },
      { type: 'Initialized', status: phase === 'Pending' ? 'False' : 'True' },
      { type: 'ContainersReady', status: ready },
      { type: 'Ready', status: ready },
    ]
    const status = { phase, podIP: v4, podIPs: [{ ip: v4 }, { ip: v6 }], hostIP: '10.77.0.1', conditions }
    await this.#parts.api.call('PATCH', `/api/v1/namespaces/${namespace}/pods/${name}/status`, { status })
  }
}
