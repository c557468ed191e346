/** Runs the `weft` command as a person or a program does. */
import { execFile } from 'node:child_process'
import path from 'node:path'

export const weftMain = path.join(import.meta.dirname, '../../cli/main.ts')
const timeoutMs = 20_000

export type Run = { readonly status: number; readonly stdout: string; readonly stderr: string }

/** Resolves with what it printed and its exit status; one that does not end in time is killed, and has status NaN. */
export function weft(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [weftMain, ...args],
      { timeout: timeoutMs, env: { ...process.env, ...env } },
      (error, stdout, stderr) =>
        resolve({ status: error === null ? 0 : Number(error.code ?? Number.NaN), stdout, stderr }),
    )
  })
}
