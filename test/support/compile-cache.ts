/** Processes that tests start share what Node has compiled of this tree: each starts in a third of the time. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'

const root = path.join(import.meta.dirname, '../..')

/** Fills the cache: tests kill what they start, and a process that is killed writes none. */
export function setup(): void {
  const cache = path.join(root, '.cache/compiled')
  // Inherited by the workers, and by what they start. Node goes on without a folder that it cannot write to.
  process.env['NODE_COMPILE_CACHE'] = cache
  for (const name of ['proxy', 'control-plane'])
    spawnSync(process.execPath, [path.join(root, 'cli/main.ts'), name, '--help'], { stdio: 'ignore' })
}
