/** A TCP relay between two sidecars that reads along: what it can read in clear, anybody on the network can. */
import net from 'node:net'

export class Relay {
  readonly #target: number
  readonly #markers: readonly string[]
  readonly #server: net.Server
  readonly #sockets = new Set<net.Socket>()
  relayedBytes = 0
  clearTextSeen = false

  /** Forwards to `target` on this machine; looks for `markers` in both directions. */
  constructor(target: number, markers: readonly string[]) {
    this.#target = target
    this.#markers = markers
    this.#server = net.createServer({ noDelay: true, allowHalfOpen: true }, (client) => this.#relay(client))
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', resolve)
    })
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #relay(client: net.Socket): void {
    const server = net.connect({ port: this.#target, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from)
      let tail = ''
      from.on('data', (piece) => {
        this.relayedBytes += piece.length
        const text = tail + piece.toString('latin1')
        this.clearTextSeen ||= this.#markers.some((marker) => text.includes(marker))
        // A marker may lie across two reads.
        tail = text.slice(-128)
      })
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
    }
  }
}
