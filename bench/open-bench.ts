/** Everything that a measurement stands on: bundles, backend, generator, a folder; and how long it takes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { WeftError } from '../core/errors.ts'
import { bundleProcesses } from '../deploy/bundle.ts'
import { startBackend } from './backend.ts'
import { Generator } from './load/generator.ts'
import { peers } from './peers.ts'
import { isInstalled } from './process.ts'
import type { Bench, Pace } from './suite.ts'
import { write } from './write.ts'

export const usualPace: Pace = {
  rounds: 11,
  spareRounds: 5,
  roundSeconds: 2,
  warmUpRequests: 50_000,
  warmUpSeconds: Number.POSITIVE_INFINITY,
  deadlineMs: Number.POSITIVE_INFINITY,
  lanes: 1,
}

/** Whether everything runs; nothing is warm. */
export const smokePace: Pace = {
  ...usualPace,
  rounds: 1,
  spareRounds: 0,
  roundSeconds: 1,
  warmUpRequests: 0,
  lanes: 2,
}

function progress(line: string): void {
  if (process.stdout.isTTY) write(line)
}

/** Opens it for as long as `use` takes. Rejects with CONFIG_INVALID when a program is missing that all need. */
export async function withBench<T>(pace: Pace, use: (bench: Bench) => Promise<T>): Promise<T> {
  const missing = ['nginx', 'wrk', 'h2load', 'curl', 'setpriv'].filter((tool) => !isInstalled(tool))
  if (missing.length > 0)
    throw new WeftError('CONFIG_INVALID', 'the bench needs programs that are not installed', {
      detail: missing,
    })
  await bundleProcesses()
  await using stack = new AsyncDisposableStack()
  const folder = mkdtempSync(path.join(tmpdir(), 'weft-bench-'))
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true })
  stack.defer(removeFolder)
  // The kernel ends the processes; the folder is left to us.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      removeFolder()
      process.exit(1)
    })
  const backend = await startBackend(folder)
  stack.defer(() => backend.stop())
  const generator = new Generator()
  stack.defer(() => generator.stop())
  return await use({ peers, backend, generator, folder, pace, progress })
}
