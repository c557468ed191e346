/** A child process that answers each message with one of its own. */
import { type ChildProcess, fork } from 'node:child_process'
import { takePrecedence } from './precedence.ts'

export class Child<Command extends object, Answer> {
  readonly #child: ChildProcess

  /** `file` is a module beside this one. */
  constructor(file: string) {
    this.#child = fork(new URL(file, import.meta.url), [], { execArgv: [], serialization: 'advanced' })
    takePrecedence(this.#child.pid)
  }

  /** Rejects when the process ends instead. One question at a time. */
  ask(command: Command): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error('a process of the bench ended'))
      this.#child.once('exit', onExit)
      this.#child.once('message', (answer) => {
        this.#child.off('exit', onExit)
        resolve(answer as Answer)
      })
      this.#child.send(command)
    })
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect()
  }
}
