/** Looks at every exchange of a mesh, as `weft tap` does, and only counts what it is shown. */
import http from 'node:http'

const newline = 0x0a

export class TapViewer {
  readonly #request: http.ClientRequest
  /** Lines so far. */
  seen = 0

  /** `adminPort` is that of the control plane. */
  constructor(adminPort: number) {
    const page = { host: '127.0.0.1', port: adminPort, path: '/live/tap?maxPerSecond=10000' }
    this.#request = http.get(page, (response) => {
      response.on('error', () => undefined)
      response.on('data', (piece: Buffer) => {
        for (const byte of piece) if (byte === newline) this.seen++
      })
    })
    this.#request.on('error', () => undefined)
  }

  stop(): void {
    this.#request.destroy()
  }
}
