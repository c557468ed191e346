/** Drives the process that open loops run in. */
import { type ChildProcess, fork } from 'node:child_process'
import path from 'node:path'
import { decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js'
import type { GeneratorAnswer, GeneratorCommand } from './generator-process.ts'
import type { OpenLoopCount, OpenLoopLoad } from './open-loop.ts'

export type OpenLoopResult = OpenLoopCount & { readonly latencyUs: Histogram; readonly latenessUs: Histogram }

export class Generator {
  readonly #child: ChildProcess

  constructor() {
    this.#child = fork(path.join(import.meta.dirname, 'generator-process.ts'), [], { execArgv: [] })
  }

  /** Opens and warms the connections. Rejects when the peer does not answer on them. */
  async prepare(load: OpenLoopLoad): Promise<void> {
    await this.#ask({ kind: 'prepare', load })
  }

  /** Runs what was prepared; its connections are closed afterwards. */
  async run(): Promise<OpenLoopResult> {
    const answer = await this.#ask({ kind: 'run' })
    if (answer.kind !== 'done') throw new Error(`the generator answered ${answer.kind}`)
    return {
      ...answer.count,
      latencyUs: decodeFromCompressedBase64(answer.latencyUs),
      latenessUs: decodeFromCompressedBase64(answer.latenessUs),
    }
  }

  stop(): void {
    this.#child.disconnect()
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
