/** Drives the process that loads of ours run in. */
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import path from 'node:path'
import { decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js'
import type { GeneratedLoad, GeneratorAnswer, GeneratorCommand } from './generator-process.ts'

export type GeneratedResult = {
  readonly completed: number
  readonly errors: number
  readonly reasons: Readonly<Record<string, number>>
  /** Of an open loop. */
  readonly reconnects?: number
  readonly latencyUs?: Histogram
  readonly latenessUs?: Histogram
}

export class Generator {
  readonly #child: ChildProcess = fork(path.join(import.meta.dirname, 'generator-process.ts'), [], {
    execArgv: [],
  })

  #exact = false

  /** Opens and warms the connections. Rejects when the peer does not answer on them. */
  async prepare(load: GeneratedLoad): Promise<void> {
    this.#setExact(load.kind === 'open-loop')
    await this.#ask({ kind: 'prepare', load })
  }

  /** Runs what was prepared; its connections are closed afterwards. */
  async run(): Promise<GeneratedResult> {
    const answer = await this.#ask({ kind: 'run' })
    if (answer.kind !== 'done') throw new Error(`the generator answered ${answer.kind}`)
    const { latencyUs, latenessUs, ...count } = answer.count
    return {
      ...count,
      ...(latencyUs === undefined ? {} : { latencyUs: decodeFromCompressedBase64(latencyUs) }),
      ...(latenessUs === undefined ? {} : { latenessUs: decodeFromCompressedBase64(latenessUs) }),
    }
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect()
  }

  /**
   * A schedule is kept on a busy machine only by who runs at once when it is time: as root, with the priority of a
   * process that is elsewhere. Without it the report shows how late requests were sent.
   */
  #setExact(exact: boolean): void {
    if (exact === this.#exact) return
    this.#exact = exact
    const policy = exact ? ['--fifo', '--pid', '1'] : ['--other', '--pid', '0']
    spawnSync('chrt', ['--all-tasks', ...policy, String(this.#child.pid)])
  }

  async #ask(command: GeneratorCommand): Promise<GeneratorAnswer> {
    const answer = await new Promise<GeneratorAnswer>((resolve, reject) => {
      const onExit = (): void => reject(new Error('the generator ended'))
      this.#child.once('exit', onExit)
      this.#child.once('message', (message) => {
        this.#child.off('exit', onExit)
        resolve(message as GeneratorAnswer)
      })
      this.#child.send(command)
    })
    if (answer.kind === 'failed') throw new Error(answer.reason)
    return answer
  }
}
