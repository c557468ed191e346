/** A network of its own for a test: one namespace per pod, joined by a bridge in another one. Nothing of it is the machine's. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { stopChild } from '../support/sidecar-process.ts'

/** Names of what a test run makes begin with this and its process id. */
const prefix = 'weft-sys-'
const hubAddress = { v4: '10.77.0.1', v6: 'fd77::1' } as const

export type Addresses = { readonly v4: string; readonly v6: string }

/** Runs to the end and gives the output. Throws with what it complained of. */
export function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 })
  if (status === 0) return stdout
  throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
}

function namespaces(): readonly string[] {
  return run('ip', ['netns', 'list'])
    .split('\n')
    .map((line) => line.split(' ')[0] as string)
    .filter((name) => name.startsWith(prefix))
}

/** Ours has a name only while its bridge is in use; what runs in it is not the test's alone. */
function isOwn(name: string): boolean {
  return run('ip', ['netns', 'identify', String(process.pid)])
    .split('\n')
    .includes(name)
}

function removeNamespace(name: string): void {
  if (isOwn(name)) {
    spawnSync('ip', ['link', 'del', 'br0'])
    run('ip', ['netns', 'del', name])
    return
  }
  for (const pid of run('ip', ['netns', 'pids', name]).split('\n')) {
    if (pid === '') continue
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
  run('ip', ['netns', 'del', name])
}

/** Whether `name` was made by a test run that is no more. */
function isLeftover(name: string): boolean {
  const maker = name.startsWith(prefix) ? name.slice(prefix.length).split('-')[0] : undefined
  return maker !== undefined && !existsSync(`/proc/${maker}`)
}

function removeLeftovers(): void {
  for (const name of namespaces().filter(isLeftover)) removeNamespace(name)
  for (const name of readdirSync(tmpdir()).filter(isLeftover))
    rmSync(path.join(tmpdir(), name), { recursive: true })
}

/** The beginning of the names of everything that this run makes. */
export const ownPrefix = `${prefix}${process.pid}-`

export type PodNetwork = Addresses & { readonly namespace: string; readonly link: string }

export class Network {
  readonly #children = new Set<ChildProcess>()
  readonly hub: PodNetwork
  #pods = 0

  /** The bridge is in a namespace of its own, or in this process's, which then has to be nobody else's. */
  constructor(place: 'apart' | 'here' = 'apart') {
    removeLeftovers()
    const namespace = `${ownPrefix}hub`
    if (place === 'apart') run('ip', ['netns', 'add', namespace])
    else run('ip', ['netns', 'attach', namespace, String(process.pid)])
    this.hub = { ...hubAddress, namespace, link: 'br0' }
    this.#ip(namespace, 'link set lo up')
    this.#ip(namespace, 'link add br0 type bridge')
    this.#address(namespace, 'br0', hubAddress)
  }

  /** A namespace with an address of each family on the bridge, and everything else routed there. */
  addPod(name: string): PodNetwork {
    const namespace = `${ownPrefix}${name}`
    const link = `v-${name}`
    const number = ++this.#pods + 1
    const addresses = { v4: `10.77.0.${number}`, v6: `fd77::${number}` }
    run('ip', ['netns', 'add', namespace])
    this.#ip(this.hub.namespace, `link add ${link} type veth peer name eth0 netns ${namespace}`)
    this.#ip(this.hub.namespace, `link set ${link} master br0 up`)
    this.#ip(namespace, 'link set lo up')
    this.#address(namespace, 'eth0', addresses)
    // Cluster addresses are nobody's; they only have to be routed somewhere for their connections to be made at all.
    this.#ip(namespace, `route add default via ${hubAddress.v4}`)
    this.#ip(namespace, `-6 route add default via ${hubAddress.v6}`)
    return { ...addresses, namespace, link }
  }

  /** Runs a program in a namespace to its end and gives its output. */
  run({ namespace }: PodNetwork, command: string, ...args: readonly string[]): string {
    return run('ip', ['netns', 'exec', namespace, command, ...args])
  }

  /** Starts a program in a namespace, as a user of its own; it ends with this process. */
  start(pod: PodNetwork, uid: number, command: string, ...args: readonly string[]): ChildProcess {
    const asUser = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', command, ...args]
    const child = spawn('ip', ['netns', 'exec', pod.namespace, ...asUser], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, WEFT_EXIT_WITH_PARENT: '1' },
    })
    child.on('error', (error) => process.stderr.write(`${command}: ${error.message}\n`))
    child.stdin?.on('error', () => undefined)
    this.#children.add(child)
    return child
  }

  /** Ends what was started and removes everything. */
  async remove(): Promise<void> {
    await Promise.all([...this.#children].map(stopChild))
    for (const name of namespaces()) if (name.startsWith(ownPrefix)) removeNamespace(name)
  }

  #ip(namespace: string, words: string): void {
    run('ip', ['-n', namespace, ...words.split(' ')])
  }

  #address(namespace: string, link: string, { v4, v6 }: Addresses): void {
    this.#ip(namespace, `addr add ${v4}/24 dev ${link}`)
    this.#ip(namespace, `addr add ${v6}/64 dev ${link} nodad`)
    this.#ip(namespace, `link set ${link} up`)
  }
}
