/** The demo's child processes: each with its own log file; none outlives the demo. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import path from 'node:path'

const root = path.join(import.meta.dirname, '../..')

export class Processes {
  readonly #logFolder: string
  readonly #running = new Map<string, ChildProcess>()

  constructor(logFolder: string) {
    this.#logFolder = logFolder
  }

  /** Starts a TypeScript file of this tree. `name` also names its log file. */
  start(
    name: string,
    file: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): void {
    const child = spawn(process.execPath, [path.join(root, file), ...args], {
      // Standard input is a pipe that ends with us, even when we are killed.
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env, WEFT_EXIT_WITH_PARENT: '1' },
    })
    const log = createWriteStream(path.join(this.#logFolder, `${name}.log`), { flags: 'a' })
    child.stdout.pipe(log, { end: false })
    child.stderr.pipe(log, { end: false })
    child.on('error', (error) => log.write(`${error.message}\n`))
    child.stdin.on('error', () => undefined)
    child.on('exit', () => {
      if (this.#running.get(name) === child) this.#running.delete(name)
    })
    this.#running.set(name, child)
  }

  get names(): readonly string[] {
    return [...this.#running.keys()]
  }

  /** Sends `signal` and waits until the process has ended. */
  async stop(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#running.get(name)
    if (child === undefined || child.exitCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.names.map((name) => this.stop(name)))
  }
}
