/** What kubectl says. Not our own client: whoever applies manifests has kubectl, with contexts and plugins that we do not know. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { reasonOf, systemCodeOf, WeftError } from '../core/errors.ts'

const timeoutMs = 60_000
const largestOutputBytes = 64 * 1024 * 1024

/**
 * The objects that `kubectl get` finds, in the form of its JSON; those that a cluster has not are none. Rejects with
 * CONFIG_INVALID when there is no kubectl, and KUBERNETES_FAILED with what it says.
 */
export async function kubectlGet(args: readonly string[]): Promise<readonly unknown[]> {
  const all = ['get', '--ignore-not-found', '-o', 'json', ...args]
  try {
    const { stdout } = await promisify(execFile)('kubectl', all, {
      timeout: timeoutMs,
      maxBuffer: largestOutputBytes,
    })
    if (stdout.trim() === '') return []
    const found = JSON.parse(stdout) as { readonly items?: readonly unknown[] }
    return found.items ?? [found]
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT')
      throw new WeftError('CONFIG_INVALID', 'kubectl is not to be found', { cause: error })
    const { stderr } = error as { readonly stderr?: string }
    // Lines of its own log, like `E1129 17:14:01.0029 18090 memcache.go:265] ...`, say the same in other words.
    const lines = (stderr ?? '').split('\n').filter((line) => !/^[IWEF]\d{4} /.test(line))
    const said = lines.join(' ').trim() || reasonOf(error)
    throw new WeftError('KUBERNETES_FAILED', said, { cause: error })
  }
}
