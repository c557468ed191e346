/** A weft process from its bundle. */
import { execFileSync } from 'node:child_process'
import { version } from '../../core/version.ts'
import { bundleOf, type ProcessName } from '../../deploy/bundle.ts'
import { sidecarEnvironment } from '../../deploy/sidecar-environment.ts'
import { launchProgram } from './launch.ts'
import type { Launched } from './sides.ts'

const env = { WEFT_LOG_LEVEL: 'warn', WEFT_EXIT_WITH_PARENT: '1' }

function environmentOf(name: ProcessName): Readonly<Record<string, string>> {
  return name === 'proxy' ? { ...env, ...sidecarEnvironment() } : env
}

/**
 * Starts it with `--name=value` for each setting and waits until /ready says so. `nodeArgs` are for its Node; `file` is
 * another bundle than the usual one.
 */
export function launchWeft(
  name: ProcessName,
  adminPort: number,
  settings: Readonly<Record<string, string>>,
  {
    nodeArgs = [],
    file = bundleOf(name),
  }: { readonly nodeArgs?: readonly string[]; readonly file?: string } = {},
): Promise<Launched> {
  const flags = Object.entries(settings).map(([setting, value]) => `--${setting}=${value}`)
  const args = [...nodeArgs, file, ...flags]
  return launchProgram(process.execPath, args, { port: adminPort, page: '/ready' }, environmentOf(name))
}

/** The version, and the commit where the tree is one. */
export function weftVersion(): string {
  try {
    const commit = execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return `${version} (${commit.trim()})`
  } catch {
    // Not a clone, or no git here.
    return version
  }
}
