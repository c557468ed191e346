/** A weft process of its own that can be looked into: descriptors, and the heap once everything collectable is gone. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { WebSocket } from 'ws'
import { stopChild } from './sidecar-process.ts'

const main = path.join(import.meta.dirname, '../../cli/main.ts')
const startTimeoutMs = 45_000

export type ObservedProcess = {
  readonly name: string
  readonly pid: number
  /** What it wrote, the newest 64 KiB of it. */
  readonly log: () => string
  /** How it ended; undefined while it runs. */
  readonly ended: () => string | undefined
  readonly openFiles: () => number
  readonly heapBytes: () => Promise<number>
  readonly stop: () => Promise<void>
}

/** Where the inspector listens: the process says so on its standard error. */
function inspectorUrl(child: ChildProcess, log: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no inspector: ${log()}`)), startTimeoutMs)
    child.stderr?.on('data', () => {
      const url = /^Debugger listening on (ws:\S+)$/m.exec(log())?.[1]
      if (url === undefined) return
      clearTimeout(timer)
      resolve(url)
    })
  })
}

async function collectedHeap(url: string): Promise<number> {
  const socket = new WebSocket(url)
  const waiting = new Map<number, (result: unknown) => void>()
  socket.on('message', (data: Buffer) => {
    const { id, result } = JSON.parse(data.toString()) as { readonly id: number; readonly result: unknown }
    waiting.get(id)?.(result)
  })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const call = (method: string, params: object = {}): Promise<unknown> =>
    new Promise((resolve) => {
      const id = waiting.size
      waiting.set(id, resolve)
      socket.send(JSON.stringify({ id, method, params }))
    })
  // Twice: what finalizers let go of is gone after the second time only.
  for (let i = 0; i < 2; i++) await call('HeapProfiler.collectGarbage')
  const expression = '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())'
  const { result } = (await call('Runtime.evaluate', { expression })) as {
    readonly result: { readonly value: number }
  }
  socket.terminate()
  return result.value
}

/** Starts `weft NAME ARGS`; it ends with this process. */
export async function startObserved(name: string, args: readonly string[]): Promise<ObservedProcess> {
  const child = spawn(process.execPath, ['--inspect=127.0.0.1:0', main, name, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, WEFT_EXIT_WITH_PARENT: '1' },
  })
  let text = ''
  const keep = (piece: Buffer): void => {
    text = (text + piece.toString()).slice(-64 * 1024)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  let ended: string | undefined
  child.on('exit', (status, signal) => {
    ended = signal ?? `status ${status}`
  })
  const url = await inspectorUrl(child, () => text)
  const pid = child.pid as number
  return {
    name,
    pid,
    log: () => text,
    ended: () => ended,
    openFiles: () => readdirSync(`/proc/${pid}/fd`).length,
    heapBytes: () => collectedHeap(url),
    stop: () => stopChild(child),
  }
}
