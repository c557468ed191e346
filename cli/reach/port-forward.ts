/** A port of a pod on this machine: kubectl carries the bytes, so that every way of signing in works. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export type Forward = { readonly port: number; readonly stop: () => void }

const timeoutMs = 10_000

/** undefined: there is no kubectl, or it cannot. */
export function forwardPort(
  namespace: string,
  pod: string,
  port: number,
  kubeconfig: string,
): Promise<Forward | undefined> {
  const args = ['port-forward', '-n', namespace, `pod/${pod}`, `:${port}`]
  const child = spawn('kubectl', args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, KUBECONFIG: kubeconfig },
  })
  return new Promise((resolve) => {
    const timer = setTimeout(() => end(child), timeoutMs)
    const done = (forward: Forward | undefined): void => {
      clearTimeout(timer)
      resolve(forward)
    }
    child.once('error', () => done(undefined))
    child.once('exit', () => done(undefined))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const local = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line)?.[1]
      if (local !== undefined) done({ port: Number(local), stop: () => end(child) })
    })
  })
}

function end(child: ChildProcess): void {
  child.kill('SIGTERM')
}
