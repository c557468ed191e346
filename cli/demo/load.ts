/** The demo's client: keep-alive requests through its own sidecar, as any program with an HTTP proxy sends them. */
import http from 'node:http'

export type Answer = {
  readonly status: number
  readonly apps: readonly { readonly app: string; readonly trace: string }[]
  readonly latencyMs: number
}

export class Load {
  readonly #proxyPort: number
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 64 })

  constructor(proxyPort: number) {
    this.#proxyPort = proxyPort
  }

  /** Never rejects: what goes wrong on the way is status 0. */
  get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const startedMs = performance.now()
    return new Promise((resolve) => {
      const done = (status: number, body: string): void => {
        const apps = status === 200 ? (JSON.parse(body) as Answer['apps']) : []
        resolve({ status, apps, latencyMs: performance.now() - startedMs })
      }
      const request = http.get(
        {
          host: '127.0.0.1',
          port: this.#proxyPort,
          path: url,
          headers: { host: new URL(url).host, ...headers },
          agent: this.#agent,
        },
        (response) => {
          let body = ''
          response.setEncoding('utf8')
          response.on('data', (piece: string) => {
            body += piece
          })
          response.on('end', () => done(response.statusCode ?? 0, body))
          response.on('error', () => done(0, ''))
        },
      )
      request.setTimeout(10_000, () => request.destroy())
      request.on('error', () => done(0, ''))
    })
  }

  /** Sends until `goOn` says no, `concurrency` at a time; each answer is handed to `onAnswer`. */
  async run(
    url: string,
    concurrency: number,
    goOn: () => boolean,
    onAnswer: (answer: Answer) => void,
  ): Promise<void> {
    const worker = async (): Promise<void> => {
      while (goOn()) onAnswer(await this.get(url))
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
  }

  close(): void {
    this.#agent.destroy()
  }
}

export type Tally = {
  requests: number
  failed: number
  v1: number
  v2: number
  latenciesMs: number[]
  problems: Map<number, number>
}

export function newTally(): Tally {
  return { requests: 0, failed: 0, v1: 0, v2: 0, latenciesMs: [], problems: new Map() }
}

export function count(tally: Tally, answer: Answer): void {
  tally.requests++
  tally.latenciesMs.push(answer.latencyMs)
  if (answer.status !== 200) {
    tally.failed++
    tally.problems.set(answer.status, (tally.problems.get(answer.status) ?? 0) + 1)
    return
  }
  if (answer.apps.some(({ app }) => app === 'catalog-v1')) tally.v1++
  if (answer.apps.some(({ app }) => app.startsWith('catalog-v2'))) tally.v2++
}
