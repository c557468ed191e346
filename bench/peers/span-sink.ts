/** Takes spans as Zipkin does, and only counts them. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'

export class SpanSink {
  readonly #server: http.Server
  #spans = 0

  private constructor() {
    this.#server = http.createServer((request, response) => {
      let text = ''
      request.setEncoding('utf8')
      request.on('data', (piece: string) => {
        text += piece
      })
      request.on('end', () => {
        this.#spans += (JSON.parse(text) as readonly unknown[]).length
        response.writeHead(202).end()
      })
    })
  }

  static async start(): Promise<SpanSink> {
    const sink = new SpanSink()
    await new Promise<void>((resolve) => {
      sink.#server.listen(0, '127.0.0.1', resolve)
    })
    return sink
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/api/v2/spans`
  }

  get spans(): number {
    return this.#spans
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
