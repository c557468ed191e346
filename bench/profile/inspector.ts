/** Profiles a running Node process over its inspector, so that start and warm-up stay out of the profile. */
import type { CpuProfile } from './self-time.ts'

const samplingIntervalUs = 200

type Answer = {
  readonly id?: number
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

export class Inspector {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #asked = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer)
    })
  }

  /** Connects to the process that was started with --inspect=127.0.0.1:`port`. */
  static async connect(port: number): Promise<Inspector> {
    const response = await fetch(`http://127.0.0.1:${port}/json/list`)
    const [target] = (await response.json()) as { readonly webSocketDebuggerUrl: string }[]
    if (target === undefined) throw new Error(`nothing to inspect on port ${port}`)
    const socket = new WebSocket(target.webSocketDebuggerUrl)
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('error', () =>
        reject(new Error(`the inspector on port ${port} does not answer`)),
      )
    })
    return new Inspector(socket)
  }

  async startProfile(): Promise<void> {
    await this.#ask('Profiler.enable')
    await this.#ask('Profiler.setSamplingInterval', { interval: samplingIntervalUs })
    await this.#ask('Profiler.start')
  }

  async stopProfile(): Promise<CpuProfile> {
    const { profile } = (await this.#ask('Profiler.stop')) as { readonly profile: CpuProfile }
    return profile
  }

  close(): void {
    this.#socket.close()
  }

  async #ask(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#asked
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve)
      this.#socket.send(JSON.stringify({ id, method, params }))
    })
    this.#waiting.delete(id)
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`)
    return answer.result
  }
}
