import { startProcess, stopProcess, untilOpen, until } from '../process.ts'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import type { Launched } from './sides.ts'

/** Ready when its port is open, or when a page of its admin server answers 200. */
export type Readiness = { readonly port: number; readonly page?: string }

/** Starts a program and waits until it is ready. Rejects when it ends before, and nothing is left behind. */
export async function launchProgram(
  command: string,
  args: readonly string[],
  { port, page }: Readiness,
  env: Readonly<Record<string, string>> = {},
): Promise<Launched> {
  const startedMs = performance.now()
  const child = startProcess(command, args, env)
  try {
    if (page === undefined) await untilOpen(port, child)
    else await until(async () => (await fetchText(port, page)).status === 200, args.join(' '), child)
  } catch (error) {
    await stopProcess(child)
    throw error
  }
  return {
    pid: child.pid as number,
    readyMs: performance.now() - startedMs,
    stop: () => stopProcess(child),
  }
}
