/** A way to a server on this machine that a test can cut and close, as a network does it. */
import net from 'node:net'

export class TcpGate {
  readonly port: number
  readonly #server: net.Server
  readonly #open: Set<net.Socket>
  #closed = false

  private constructor(server: net.Server, open: Set<net.Socket>) {
    this.#server = server
    this.#open = open
    this.port = (server.address() as net.AddressInfo).port
  }

  /** Leads to `target` on loopback. */
  static async start(target: number): Promise<TcpGate> {
    const open = new Set<net.Socket>()
    const server = net.createServer()
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const gate = new TcpGate(server, open)
    server.on('connection', (client) => gate.#join(client, target))
    return gate
  }

  #join(client: net.Socket, target: number): void {
    if (this.#closed) {
      client.on('error', () => undefined).resetAndDestroy()
      return
    }
    const upstream = net.connect(target, '127.0.0.1')
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#open.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#open.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  }

  /** Breaks every connection (RST); new ones go through. */
  cut(): void {
    for (const socket of this.#open) socket.resetAndDestroy()
  }

  /** Breaks every connection and refuses new ones, until `reopen`. */
  close(): void {
    this.#closed = true
    this.cut()
  }

  reopen(): void {
    this.#closed = false
  }

  stop(): void {
    this.close()
    this.#server.close()
  }
}
