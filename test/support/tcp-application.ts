/** A server of bytes for tests: what it says first, and what it makes of what it is told. */
import net from 'node:net'

export type TcpApplication = {
  readonly port: number
  /** Connections that were opened to it. */
  readonly opened: () => number
  readonly stop: () => Promise<void>
}

/** Says `greeting` at once, answers each piece by `NAME:piece`, and the client's end by `NAME:end` and its own. */
export async function startTcpApplication(name: string, greeting = ''): Promise<TcpApplication> {
  let opened = 0
  const sockets = new Set<net.Socket>()
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    opened++
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    if (greeting !== '') socket.write(greeting)
    socket.on('data', (piece) => socket.write(`${name}:${piece.toString('latin1')}`, 'latin1'))
    socket.on('end', () => socket.end(`${name}:end`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as net.AddressInfo).port,
    opened: () => opened,
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
