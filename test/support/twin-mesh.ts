/** A mesh of three processes: a control plane, and the sidecars of `left` and `right`, each before an application here. */
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePorts } from '../../cli/demo/ports.ts'
import { fetchText, untilAnswering } from '../../cli/demo/sidecar-admin.ts'
import { StateFolder } from '../../control-plane/ca/state-folder.ts'
import { createToken } from '../../control-plane/ca/token.ts'
import { openTokenKey } from '../../control-plane/ca/token-key.ts'
import { systemClock } from '../../core/clock.ts'
import { meshedServiceYaml } from './meshed-service.ts'
import { spawnLimited, stopChild } from './sidecar-process.ts'

const main = path.join(import.meta.dirname, '../../cli/main.ts')
const startTimeoutMs = 45_000
const dayMs = 86_400_000

export type TwinSide = {
  readonly name: 'left' | 'right'
  readonly outbound: number
  readonly inbound: number
  readonly admin: number
  readonly log: () => string
  /** The sum of a family's samples that match `labels`; 0 when there are none. */
  readonly metric: (name: string, labels?: string) => Promise<number>
}

export type TwinOptions = {
  /** Further files of the mesh's folder, written before anything starts. */
  readonly files?: Readonly<Record<string, string>>
  readonly controlPlane?: (folder: string) => readonly string[]
  readonly sidecars?: (folder: string, name: string) => readonly string[]
  /** The file with what the control plane is trusted by; that of its state folder unless set. */
  readonly controlPlaneCa?: (folder: string) => string
  readonly env?: Readonly<Record<string, string>>
}

function logOf(child: ChildProcess): () => string {
  let text = ''
  child.stdout?.on('data', (piece: Buffer) => {
    text = (text + piece.toString()).slice(-256 * 1024)
  })
  return () => text
}

async function metricOf(admin: number, name: string, labels: string): Promise<number> {
  const { text } = await fetchText(admin, '/metrics')
  return text
    .split('\n')
    .filter((line) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)) && line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

async function application(name: string): Promise<{ readonly port: number; readonly stop: () => void }> {
  const server = http.createServer({ keepAliveTimeout: 120_000 }, (_request, response) => response.end(name))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

export class TwinMesh {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'weft-twins-'))
  readonly state = path.join(this.folder, 'state')
  readonly grpcPort: number
  readonly adminPort: number
  readonly #options: TwinOptions
  readonly #ports: readonly number[]
  readonly #sides = new Map<TwinSide['name'], TwinSide>()
  /** In the order in which they are to be ended. */
  readonly #started: (() => unknown)[] = []
  #controlPlane: ChildProcess | undefined
  #controlPlaneLog = (): string => ''

  private constructor(options: TwinOptions, ports: readonly number[]) {
    this.#options = options
    const [grpcPort = 0, adminPort = 0, ...sides] = ports
    this.grpcPort = grpcPort
    this.adminPort = adminPort
    this.#ports = sides
    mkdirSync(path.join(this.folder, 'config'))
    for (const [file, text] of Object.entries(options.files ?? {}))
      writeFileSync(path.join(this.folder, file), text, { mode: 0o600 })
  }

  static async start(options: TwinOptions = {}): Promise<TwinMesh> {
    const mesh = new TwinMesh(options, await freePorts(8))
    try {
      await mesh.startControlPlane()
      await Promise.all([mesh.#startSide('left', 0), mesh.#startSide('right', 3)])
      return mesh
    } catch (error) {
      await mesh.stop()
      throw error
    }
  }

  get left(): TwinSide {
    return this.#sides.get('left') as TwinSide
  }

  get right(): TwinSide {
    return this.#sides.get('right') as TwinSide
  }

  /** What the control plane is trusted by. */
  get rootsFile(): string {
    return this.#options.controlPlaneCa?.(this.folder) ?? path.join(this.state, 'root-cert.pem')
  }

  /** As `metric` of a side. */
  controlPlaneMetric(name: string, labels = ''): Promise<number> {
    return metricOf(this.adminPort, name, labels)
  }

  controlPlaneLog(): string {
    return this.#controlPlaneLog()
  }

  /** Of a week ago, so that no clock that a test sets is before it. */
  tokenOf(serviceAccount: string): string {
    return createToken({
      privateKey: openTokenKey(new StateFolder(this.state)).privateKey,
      identity: { namespace: 'shop', serviceAccount },
      ttlMs: 30 * dayMs,
      clock: { ...systemClock, wallMs: () => Date.now() - 7 * dayMs },
    })
  }

  async startControlPlane(): Promise<void> {
    const { folder, state, grpcPort, adminPort } = this
    const child = this.#spawn('control-plane', [
      `--config=${path.join(folder, 'config')}`,
      `--state=${state}`,
      `--grpc-address=127.0.0.1:${grpcPort}`,
      `--admin-address=127.0.0.1:${adminPort}`,
      ...(this.#options.controlPlane?.(folder) ?? []),
    ])
    this.#controlPlane = child
    this.#controlPlaneLog = logOf(child)
    await ready('control plane', adminPort, child, this.#controlPlaneLog)
  }

  async stopControlPlane(): Promise<void> {
    if (this.#controlPlane !== undefined) await stopChild(this.#controlPlane)
  }

  /** Bound, so that it can be handed on. */
  readonly stop = async (): Promise<void> => {
    for (const end of this.#started) await end()
    await this.stopControlPlane()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #startSide(name: TwinSide['name'], offset: number): Promise<void> {
    const { folder, grpcPort } = this
    const [outbound = 0, inbound = 0, admin = 0] = this.#ports.slice(offset)
    const app = await application(name)
    this.#started.push(app.stop)
    const service = { name, listenPort: inbound, applicationPort: app.port }
    writeFileSync(path.join(folder, 'config', `${name}.yaml`), meshedServiceYaml(service))
    const tokenFile = path.join(folder, `${name}.token`)
    writeFileSync(tokenFile, this.tokenOf(name), { mode: 0o600 })
    const child = this.#spawn('proxy', [
      `--control-plane=127.0.0.1:${grpcPort}`,
      `--control-plane-ca=${this.rootsFile}`,
      `--token-file=${tokenFile}`,
      '--namespace=shop',
      `--pod=${name}`,
      `--service-account=${name}`,
      `--outbound-address=127.0.0.1:${outbound}`,
      `--admin-address=127.0.0.1:${admin}`,
      '--outbound-policy=deny',
      ...(this.#options.sidecars?.(folder, name) ?? []),
    ])
    this.#started.unshift(() => stopChild(child))
    const log = logOf(child)
    await ready(name, admin, child, log)
    const metric: TwinSide['metric'] = (family, labels = '') => metricOf(admin, family, labels)
    this.#sides.set(name, { name, outbound, inbound, admin, log, metric })
  }

  #spawn(process: string, settings: readonly string[]): ChildProcess {
    return spawnLimited([main, process, ...settings], undefined, this.#options.env)
  }
}

function ready(name: string, port: number, child: ChildProcess, log: () => string): Promise<void> {
  const fallen = (): string | undefined => (child.exitCode === null ? undefined : `${name} ended: ${log()}`)
  return untilAnswering({ name, port, path: '/ready', timeoutMs: startTimeoutMs, fallen })
}
