/** The demo's child processes: each with its own log file; none outlives the demo. */
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, closeSync, openSync } from 'node:fs'
import path from 'node:path'

const root = path.join(import.meta.dirname, '../..')

type Running = { readonly child: ChildProcess; readonly ended: Promise<void>; stopping: boolean }

/** Settings of the user's own mesh, and proxies of the user's own network, are nothing to the demo's processes. */
function isForeign(name: string): boolean {
  return /^weft_/i.test(name) || /^(?:https?|all|no|grpc|no_grpc)_proxy$/i.test(name)
}

function environment(own: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !isForeign(name))
  return { ...Object.fromEntries(inherited), ...own, WEFT_EXIT_WITH_PARENT: '1' }
}

export class Processes {
  readonly #logFolder: string
  readonly #running = new Map<string, Running>()
  /** Why a process ended that nobody had stopped, by its name. */
  readonly #fallen = new Map<string, string>()
  /** The same of all times, also of names that run again. */
  readonly #everFallen: string[] = []
  onFallen: (text: string) => void = () => undefined

  constructor(logFolder: string) {
    this.#logFolder = logFolder
  }

  /**
   * Starts a JavaScript or TypeScript file, by its path in this tree. `name` also names its log file. Throws when a
   * process of that name runs: nobody would stop it any more.
   */
  start(
    name: string,
    file: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): void {
    if (this.#running.has(name)) throw new Error(`${name} runs already`)
    const logFile = path.join(this.#logFolder, `${name}.log`)
    const log = openSync(logFile, 'a')
    // The child writes its log itself: what it says last is there even when it is killed, or when we are.
    const child = spawn(process.execPath, [path.resolve(root, file), ...args], {
      // Standard input is a pipe that ends with us, even when we are killed.
      stdio: ['pipe', log, log],
      env: environment(env),
    })
    closeSync(log)
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    const running: Running = { child, ended, stopping: false }
    const end = (why: string): void => {
      if (this.#running.get(name) === running) this.#running.delete(name)
      if (!running.stopping) {
        const text = `${name} ended (${why}); see ${logFile}`
        this.#fallen.set(name, text)
        this.#everFallen.push(text)
        this.onFallen(text)
      }
      resolve()
    }
    child.on('error', (error) => {
      appendFileSync(logFile, `${error.message}\n`)
      if (child.pid === undefined) end(error.message)
    })
    child.stdin?.on('error', () => undefined)
    child.on('exit', (status, signal) => end(signal ?? `status ${status}`))
    this.#fallen.delete(name)
    this.#running.set(name, running)
  }

  get names(): readonly string[] {
    return [...this.#running.keys()]
  }

  get pids(): readonly number[] {
    return [...this.#running.values()].flatMap(({ child }) => child.pid ?? [])
  }

  /** Why `name` ended by itself, or undefined. */
  fallen(name: string): string | undefined {
    return this.#fallen.get(name)
  }

  get allFallen(): readonly string[] {
    return this.#everFallen
  }

  /** Sends `signal` and waits until the process has ended. */
  async stop(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const running = this.#running.get(name)
    if (running === undefined) return
    running.stopping = true
    running.child.kill(signal)
    await running.ended
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.names.map((name) => this.stop(name)))
  }
}
