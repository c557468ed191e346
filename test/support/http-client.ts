/** A client that speaks to its sidecar as to an HTTP proxy, over connections that it keeps. */
import http from 'node:http'

export type HttpAnswer = {
  readonly status: number
  readonly headers: Readonly<http.IncomingHttpHeaders>
  readonly body: string
  /** The body broke off. */
  readonly broken: boolean
}

export type HttpRequest = {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const patienceMs = 10_000

export class HttpClient {
  readonly #proxyPort: number
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 64 })

  constructor(proxyPort: number) {
    this.#proxyPort = proxyPort
  }

  /** Never rejects: where there is no reply at all, the status is 0. */
  send(url: string, { method = 'GET', headers = {}, body = '' }: HttpRequest = {}): Promise<HttpAnswer> {
    return new Promise((resolve) => {
      const request = http.request(
        {
          host: '127.0.0.1',
          port: this.#proxyPort,
          path: url,
          method,
          headers: {
            host: new URL(url).host,
            ...(body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
            ...headers,
          },
          agent: this.#agent,
        },
        (response) => {
          let text = ''
          const done = (broken: boolean): void =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, broken })
          response.setEncoding('latin1')
          response.on('data', (piece: string) => {
            text += piece
          })
          response.on('end', () => done(false))
          response.on('error', () => done(true))
        },
      )
      request.setTimeout(patienceMs, () => request.destroy())
      request.on('error', () => resolve({ status: 0, headers: {}, body: '', broken: true }))
      request.end(body)
    })
  }

  /** Sends until `goOn` says no, `concurrency` at a time. */
  async run(
    url: string,
    concurrency: number,
    goOn: () => boolean,
    onAnswer: (answer: HttpAnswer) => void,
    request: HttpRequest = {},
  ): Promise<void> {
    const worker = async (): Promise<void> => {
      while (goOn()) onAnswer(await this.send(url, request))
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
  }

  /** How often each body came in `count` requests; a status that is not 200 counts as itself. */
  async tally(url: string, count: number, request: HttpRequest = {}): Promise<Record<string, number>> {
    const seen: Record<string, number> = {}
    let sent = 0
    await this.run(
      url,
      8,
      () => sent++ < count,
      ({ status, body }) => {
        const key = status === 200 ? body : String(status)
        seen[key] = (seen[key] ?? 0) + 1
      },
      request,
    )
    return seen
  }

  close(): void {
    this.#agent.destroy()
  }
}
