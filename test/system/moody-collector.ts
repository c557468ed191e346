/** Stands before a collector, and passes on to it, is away, or takes connections and never answers. */
import net from 'node:net'

export type Mood = 'well' | 'away' | 'silent'

export class MoodyCollector {
  readonly #behindPort: number
  readonly #sockets = new Set<net.Socket>()
  #server: net.Server | undefined
  #mood: Mood = 'away'
  port = 0

  constructor(behindPort: number) {
    this.#behindPort = behindPort
  }

  async become(mood: Mood): Promise<void> {
    this.#mood = mood
    for (const socket of this.#sockets) socket.destroy()
    if (mood === 'away') await this.#close()
    else if (this.#server === undefined) await this.#listen()
  }

  async #listen(): Promise<void> {
    const server = net.createServer((client) => this.#take(client))
    this.#server = server
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve))
    this.port = (server.address() as net.AddressInfo).port
  }

  async #close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server !== undefined) await new Promise((resolve) => server.close(resolve))
  }

  #take(client: net.Socket): void {
    this.#keep(client)
    if (this.#mood === 'silent') {
      client.resume()
      return
    }
    const behind = net.connect({ port: this.#behindPort, host: '127.0.0.1' })
    this.#keep(behind)
    client.pipe(behind)
    behind.pipe(client)
    client.on('close', () => behind.destroy())
    behind.on('close', () => client.destroy())
  }

  #keep(socket: net.Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
