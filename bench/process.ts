/** Child processes of a measurement, and the CPU time and memory that they use. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import net from 'node:net'

const openTimeoutMs = 20_000
const pollMs = 2

export function isInstalled(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0
}

/** What a program says when asked for its version: the first match of `pattern`, whether it says it on stdout or stderr. */
export function versionOf(command: string, args: readonly string[], pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown'
}

/** Starts a program that the kernel ends when we end, however that happens. */
export function startProcess(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  child.on('error', (error) => process.stderr.write(`${command}: ${error.message}\n`))
  child.stdin.on('error', () => undefined)
  // Read as whoever collects logs does: writing into nothing would cost nothing.
  child.stdout.resume()
  return child
}

export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}

/** Nanoseconds on a CPU since its start, all threads: field 1 of each task's schedstat. */
export function cpuNs(pid: number): number {
  let total = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) total += threadCpuNs(pid, Number(thread))
  return total
}

/** The same of one thread; of the main one by default. */
export function threadCpuNs(pid: number, thread = pid): number {
  return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
}

export type MemoryBytes = { readonly rss: number; readonly anonymous: number }

/** Memory that is resident now, and what of it no other process can share. */
export function memoryOf(pid: number): MemoryBytes {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const bytes = (field: string): number =>
    1024 * Number(new RegExp(`^${field}: +([0-9]+) kB`, 'm').exec(text)?.[1] ?? Number.NaN)
  return { rss: bytes('Rss'), anonymous: bytes('Anonymous') }
}

/** Resolves once `probe` does; rejects when `child` ends before, or nothing happens for a while. */
export async function until(
  probe: () => Promise<boolean>,
  name: string,
  child?: ChildProcess,
): Promise<void> {
  const deadline = performance.now() + openTimeoutMs
  while (!(await probe())) {
    if (child !== undefined && (child.exitCode !== null || child.signalCode !== null))
      throw new Error(`${name} ended with ${child.signalCode ?? `status ${child.exitCode}`}`)
    if (performance.now() > deadline) throw new Error(`${name} is not ready`)
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

/** Resolves when something listens on the port of 127.0.0.1; rejects when nothing does after a while. */
export function untilOpen(port: number, child?: ChildProcess): Promise<void> {
  return until(() => canConnect(port), `what should listen on port ${port}`, child)
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
