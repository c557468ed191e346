/**
 * A real Kubernetes API server for tests: the one of test/apiserver on loopback, with the programs that KUBEBUILDER_ASSETS
 * names where it is set; or the control plane that KUBECONFIG names (foreign-cluster.ts).
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { claimCluster, foreignKubeconfig, releaseCluster } from './foreign-cluster.ts'

const root = path.join(import.meta.dirname, '../..')
/** etcd, kube-apiserver and kube-controller-manager, each of them where it is called by that name. */
export const apiServerBinary = path.join(root, '.cache/apiserver')
const startTimeoutMs = 120_000
/** The first time, everything that Kubernetes consists of is compiled. */
const buildTimeoutMs = 40 * 60_000
const kubectlTimeoutMs = 60_000

type ReadyLine = {
  readonly server: string
  readonly kubeconfig: string
  readonly etcd: string
  readonly kubelet: number
}

/** Builds the API server, unless test/kubernetes/run has: that nothing changed takes seconds to find out. */
export async function buildApiServer(): Promise<void> {
  if (process.env['WEFT_APISERVER_BUILT'] !== undefined) return
  await promisify(execFile)(path.join(root, 'test/apiserver/build'), [apiServerBinary], {
    timeout: buildTimeoutMs,
    maxBuffer: 16 * 1024 * 1024,
  })
}

export class ApiServer {
  readonly kubeconfig: string
  /** Ours to kill and to compact. */
  readonly own: boolean
  readonly #folder: string | undefined
  readonly #assets: string
  #port: string
  #etcd = ''
  #kubeletPort = 0
  #child: ChildProcess | undefined

  private constructor(kubeconfig: string, folder: string | undefined, assets = '') {
    this.kubeconfig = kubeconfig
    this.own = folder !== undefined
    this.#folder = folder
    this.#assets = assets
    this.#port = '0'
  }

  /**
   * Resolves when pods can be made. Rejects when it cannot be built or does not start in two minutes. `assets`: a folder
   * with etcd and kube-apiserver, which are run instead of ours.
   */
  static async start(assets = process.env['KUBEBUILDER_ASSETS'] ?? ''): Promise<ApiServer> {
    if (foreignKubeconfig !== '') {
      const server = new ApiServer(foreignKubeconfig, undefined)
      await claimCluster((args) => server.kubectl(args))
      return server
    }
    await buildApiServer()
    const folder = mkdtempSync(path.join(tmpdir(), 'weft-apiserver-'))
    const server = new ApiServer(path.join(folder, 'admin.kubeconfig'), folder, assets)
    await server.startAgain()
    return server
  }

  /** Starts it with the data that it had, at the address that it had. */
  async startAgain(): Promise<void> {
    const folder = this.#folder as string
    const log = path.join(folder, 'log')
    const file = openSync(log, 'a')
    const programs = this.#assets === '' ? [] : ['--assets', path.resolve(this.#assets)]
    const args = ['--folder', folder, '--port', this.#port, ...programs]
    const child = spawn(apiServerBinary, args, { stdio: ['pipe', 'pipe', file] })
    closeSync(file)
    this.#child = child
    const line = await firstLine(child, () => readFileSync(log, 'utf8').slice(-3000))
    const { server, etcd, kubelet } = JSON.parse(line) as ReadyLine
    this.#kubeletPort = kubelet
    this.#port = new URL(server).port
    this.#etcd = etcd
  }

  /** Where the kubelet of a node forwards ports of pods whose loopback is this machine's; 0 in a cluster that is not ours. */
  get kubeletPort(): number {
    return this.#kubeletPort
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  /** Throws away every version of every object but the newest, so that older watches cannot go on. */
  async compact(): Promise<void> {
    const call = async (method: string, body: object): Promise<unknown> => {
      const reply = await fetch(`${this.#etcd}/v3/kv/${method}`, {
        method: 'POST',
        body: JSON.stringify(body),
      })
      if (!reply.ok) throw new Error(`etcd ${method}: ${reply.status} ${await reply.text()}`)
      return reply.json()
    }
    const { header } = (await call('range', { key: 'AA==' })) as {
      readonly header: { readonly revision: string }
    }
    await call('compaction', { revision: header.revision, physical: true })
  }

  /** Of this machine. */
  get port(): number {
    return Number(this.#port)
  }

  /** The processes that it consists of. */
  get pid(): number {
    return this.#child?.pid as number
  }

  /** Every request of weft's ServiceAccounts so far, a line of JSON each. */
  audit(): string {
    return readFileSync(path.join(this.#folder as string, 'audit.log'), 'utf8')
  }

  /** Runs kubectl and gives what it prints. Rejects with what it says when it fails. */
  async kubectl(args: readonly string[], input = ''): Promise<string> {
    const running = promisify(execFile)('kubectl', [...args], {
      env: { ...process.env, KUBECONFIG: this.kubeconfig },
      timeout: kubectlTimeoutMs,
      maxBuffer: 64 * 1024 * 1024,
    })
    // A kubectl that fails at once does not read.
    running.child.stdin?.on('error', () => undefined)
    running.child.stdin?.end(input)
    const { stdout } = await running
    return stdout
  }

  /** `kubectl apply` of YAML or JSON. */
  apply(manifest: string): Promise<string> {
    return this.kubectl(['apply', '-f', '-'], manifest)
  }

  async stop(): Promise<void> {
    await this.kill()
    if (this.#folder === undefined) await releaseCluster((args) => this.kubectl(args))
    else rmSync(this.#folder, { recursive: true, force: true })
  }
}

function firstLine(child: ChildProcess, log: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => {
      child.kill('SIGKILL')
      reject(new Error(`the API server ${what}: ${log()}`))
    }
    const timer = setTimeout(() => fail('is not ready in time'), startTimeoutMs)
    child.once('exit', () => fail('ended'))
    createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> }).once('line', (line) => {
      clearTimeout(timer)
      child.removeAllListeners('exit')
      resolve(line)
    })
  })
}
