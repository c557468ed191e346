/** Ports for the demo's processes, each of which has to be told its port before it starts. */
import net from 'node:net'

/** Below what systems hand out to outgoing connections, so that none of those takes a port that we have chosen. */
const first = 10_000
const last = 32_000

/** `port` if nothing listens on it, else `other`. */
export async function portOrOther(port: number, other: number): Promise<number> {
  const server = await listen(port)
  if (server === undefined) return other
  await new Promise((resolve) => server.close(resolve))
  return port
}

/**
 * Where this process looks next: it gives no port twice before it has been through all of them, since one that was given
 * is not in use yet. Processes that are started one after the other begin far enough apart.
 */
let cursor = first + ((process.pid * 97) % (last - first))

/** `count` different ports of 127.0.0.1 that nothing listens on now. Rejects when there are not as many. */
export async function freePorts(count: number): Promise<number[]> {
  const held: net.Server[] = []
  try {
    for (let tried = 0; held.length < count; tried++) {
      if (tried > last - first) throw new Error(`there are no ${count} free ports`)
      const port = cursor
      cursor = port === last ? first : port + 1
      const server = await listen(port)
      if (server !== undefined) held.push(server)
    }
    return held.map((server) => (server.address() as net.AddressInfo).port)
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}

function listen(port: number): Promise<net.Server | undefined> {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
