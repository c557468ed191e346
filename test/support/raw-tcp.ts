/** Raw sockets for tests: a server that records what it is sent, a client that sends bytes and collects the answer. */
import net from 'node:net'

export type RawServer = {
  readonly port: number
  /** What each connection sent, latin1, in the order of their opening. */
  readonly received: readonly string[]
  readonly connections: () => number
  /** Whether the peer still holds connection `index`. */
  readonly isOpen: (index: number) => boolean
  /** Sends a RST on connection `index`, if it is still there. */
  readonly cut: (index: number) => void
  readonly stop: () => Promise<void>
}

/** `onData(text, socket, index)` sees everything that a connection has sent so far. */
export async function startRawServer(
  onData: (text: string, socket: net.Socket, connection: number) => void,
  options: { readonly allowHalfOpen?: boolean } = {},
): Promise<RawServer> {
  const received: string[] = []
  const sockets = new Map<number, net.Socket>()
  const server = net.createServer({ noDelay: true, ...options }, (socket) => {
    const index = received.push('') - 1
    sockets.set(index, socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(index))
    socket.on('data', (piece) => {
      received[index] += piece.toString('latin1')
      onData(received[index] as string, socket, index)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as net.AddressInfo).port,
    received,
    connections: () => received.length,
    isOpen: (index) => sockets.has(index),
    cut: (index) => void sockets.get(index)?.resetAndDestroy(),
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets.values()) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

/** Writes `pieces` one after the other, each flushed on its own, and resolves once the last one has left. */
export async function writePieces(socket: net.Socket, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return
    await new Promise<void>((resolve) => socket.write(piece, 'latin1', () => setImmediate(resolve)))
  }
}

const patienceMs = 15_000

/** A client that keeps its connection and reads answer after answer. */
export class RawClient {
  readonly socket: net.Socket
  /** What came and was not taken yet, latin1. */
  pending = ''
  closed = false
  /** The peer cut the connection (RST) instead of ending it (FIN). */
  reset = false
  #wake: () => void = () => undefined

  constructor(port: number) {
    this.socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('data', (piece) => {
      this.pending += piece.toString('latin1')
      this.#wake()
    })
    this.socket.on('error', () => {
      this.reset = true
    })
    this.socket.on('close', () => {
      this.closed = true
      this.#wake()
    })
  }

  write(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** Takes all that came once `done` holds for it or the peer has closed. Rejects after 15 s, naming what came. */
  take(done: (text: string) => boolean = () => false): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no end in sight; so far: ${JSON.stringify(this.pending.slice(0, 2000))}`))
      }, patienceMs)
      this.#wake = () => {
        if (!this.closed && !done(this.pending)) return
        clearTimeout(timer)
        this.#wake = () => undefined
        const text = this.pending
        this.pending = ''
        resolve(text)
      }
      this.#wake()
    })
  }

  destroy(): void {
    this.socket.destroy()
  }
}

export type RawAnswer = { readonly text: string; readonly closed: boolean }

/**
 * Sends `pieces` one after the other (each flushed on its own) and collects until `done(text)` holds or the peer
 * closes. Rejects after 15 s, naming what came.
 */
export async function exchangeRaw(
  port: number,
  pieces: readonly string[],
  done: (text: string) => boolean = () => false,
): Promise<RawAnswer> {
  const client = new RawClient(port)
  try {
    void writePieces(client.socket, pieces)
    const text = await client.take(done)
    return { text, closed: client.closed }
  } finally {
    client.destroy()
  }
}

/** Lets what was sent over loopback arrive: each turn of the event loop polls every socket once. */
export async function settleSockets(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

/** Until `holds`, for at most 15 s: what a busy machine is late with may take more turns. The test then says what is not so. */
export async function settleUntil(holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + patienceMs
  while (!holds() && performance.now() < deadlineMs) await settleSockets()
}
