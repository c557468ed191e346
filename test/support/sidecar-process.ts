/** The sidecar as it is shipped, a process of its own, under a control plane in this process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { freePorts } from '../../cli/demo/ports.ts'
import { fetchText, untilAnswering } from '../../cli/demo/sidecar-admin.ts'
import { createWorkloadToken } from '../../cli/token.ts'
import {
  removeFolder,
  servicesYaml,
  startTestControlPlane,
  type TestControlPlane,
} from './running-control-plane.ts'

const main = path.join(import.meta.dirname, '../../cli/main.ts')
const startTimeoutMs = 45_000

/** A sidecar's own workload, `web`. */
export function podYamlOf(namespace: string): string {
  return `apiVersion: v1
kind: Pod
metadata: {name: web, namespace: ${namespace}}
spec: {serviceAccountName: web}
`
}

export const podYaml = podYamlOf('shop')

export type SidecarProcess = {
  /** Where the application reaches it; `app.shop:8080` leads to the given port. */
  readonly port: number
  readonly adminPort: number
  readonly pid: number
  readonly log: () => string
  /** The sum of a family's samples, those that match `labels` if given. */
  readonly metric: (name: string, labels?: string) => Promise<number>
  readonly stop: () => Promise<void>
}

/** Starts a program under a limit of open files; it ends with this process. */
export function spawnLimited(
  args: readonly string[],
  openFiles?: number,
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const limit = openFiles === undefined ? '' : `ulimit -n ${openFiles} && `
  return spawn('sh', ['-c', `${limit}exec "$0" "$@"`, process.execPath, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, WEFT_EXIT_WITH_PARENT: '1', ...env },
  })
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}

async function readMetric(adminPort: number, name: string, labels: string): Promise<number> {
  const { text } = await fetchText(adminPort, '/metrics')
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(labels))
  if (lines.length === 0) throw new Error(`there is no ${name} with ${labels}`)
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

export type SidecarOptions = {
  readonly settings?: readonly string[]
  readonly openFiles?: number
  /** The Pod and its service account; `web` unless set. */
  readonly workload?: string
  /** `shop` unless set. */
  readonly namespace?: string
  /** As it is in the image: the bundle that `npm run build` made. */
  readonly bundle?: string
  /** What it has to answer before it counts as started; `/ready` unless set. */
  readonly until?: '/ready' | '/live'
}

/** Who a sidecar's control plane is, and by what the sidecar proves who it is. */
export type Enrolment = {
  readonly grpcPort: number
  readonly caFile: string
  readonly tokenFile: string
}

/** A sidecar of a workload whose Pod the control plane has to know. */
export function startSidecar(plane: TestControlPlane, options: SidecarOptions = {}): Promise<SidecarProcess> {
  const { workload = 'web', namespace = 'shop' } = options
  const state = path.join(plane.folder, 'state')
  const tokenFile = path.join(plane.folder, `token-${namespace}-${workload}`)
  const token = createWorkloadToken({ state, namespace, serviceAccount: workload, ttl: '1h' })
  writeFileSync(tokenFile, token, { mode: 0o600 })
  const caFile = path.join(state, 'root-cert.pem')
  return startEnrolledSidecar({ grpcPort: plane.running.grpcPort, caFile, tokenFile }, options)
}

/** As `startSidecar`, wherever its control plane and its token are from. */
export async function startEnrolledSidecar(
  { grpcPort, caFile, tokenFile }: Enrolment,
  {
    settings = [],
    openFiles,
    workload = 'web',
    namespace = 'shop',
    bundle,
    until = '/ready',
  }: SidecarOptions = {},
): Promise<SidecarProcess> {
  const [port = 0, adminPort = 0] = await freePorts(2)
  const child = spawnLimited(
    [
      ...(bundle === undefined ? [main, 'proxy'] : [bundle]),
      `--control-plane=127.0.0.1:${grpcPort}`,
      `--control-plane-ca=${caFile}`,
      `--token-file=${tokenFile}`,
      `--namespace=${namespace}`,
      `--pod=${workload}`,
      `--service-account=${workload}`,
      `--outbound-address=127.0.0.1:${port}`,
      `--admin-address=127.0.0.1:${adminPort}`,
      ...(settings.some((setting) => setting.startsWith('--log-level=')) ? [] : ['--log-level=warn']),
      ...settings,
    ],
    openFiles,
  )
  let log = ''
  child.stdout?.on('data', (piece: Buffer) => {
    log += piece.toString()
  })
  const fallen = (): string | undefined => (child.exitCode === null ? undefined : `the sidecar ended: ${log}`)
  await untilAnswering({
    name: 'sidecar',
    port: adminPort,
    path: until,
    timeoutMs: startTimeoutMs,
    fallen,
  })
  return {
    port,
    adminPort,
    pid: child.pid as number,
    log: () => log,
    metric: (name, labels = '') => readMetric(adminPort, name, labels),
    stop: () => stopChild(child),
  }
}

/** A sidecar with a control plane of its own, whose one destination leads to the given port. */
export async function startSidecarProcess(
  applicationPort: number,
  options: SidecarOptions = {},
): Promise<SidecarProcess> {
  const plane = await startTestControlPlane({
    'mesh.yaml': `${servicesYaml({ app: [applicationPort] })}---\n${podYaml}`,
  })
  const sidecar = await startSidecar(plane, options)
  const stop = async (): Promise<void> => {
    await sidecar.stop()
    await plane.stop()
    removeFolder(plane.folder)
  }
  return { ...sidecar, stop }
}
