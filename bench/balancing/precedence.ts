import { spawnSync } from 'node:child_process'

/**
 * As root, lets a process run ahead of what else the machine does: endpoints, clients and the sidecar between them have
 * to keep their own times, not wait for those of others. Without it a busy machine shows in the figures.
 */
export function takePrecedence(pid: number | undefined): void {
  if (pid !== undefined) spawnSync('chrt', ['--all-tasks', '--fifo', '--pid', '1', String(pid)])
}
