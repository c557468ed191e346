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
      const done = (status: number, body: string): void =>
        resolve({ status, apps: appsOf(body), latencyMs: performance.now() - startedMs })
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

/** Sidecars answer in plain text where no application did. */
function appsOf(body: string): Answer['apps'] {
  return body.startsWith('[') ? (JSON.parse(body) as Answer['apps']) : []
}

export type Tally = {
  requests: number
  failed: number
  v1: number
  v2: number
  /** Of the failed ones, those that v2 itself answered. */
  failedInV2: number
}

export function newTally(): Tally {
  return { requests: 0, failed: 0, v1: 0, v2: 0, failedInV2: 0 }
}

export function count(tally: Tally, answer: Answer): void {
  tally.requests++
  const v2 = answer.apps.some(({ app }) => app === 'catalog-v2')
  if (answer.status !== 200) {
    tally.failed++
    if (v2) tally.failedInV2++
    return
  }
  if (v2) tally.v2++
  if (answer.apps.some(({ app }) => app === 'catalog-v1')) tally.v1++
}
