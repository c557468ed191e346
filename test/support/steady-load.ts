/** A steady load on one sidecar's outbound side: requests on kept connections, and a tunnel of its own for some. */
import http from 'node:http'
import net from 'node:net'
import { reasonOf } from '../../core/errors.ts'

export type SteadyLoad = {
  /** Ends it and gives what came of it; failures by text. */
  readonly stop: () => Promise<LoadOutcome>
}

export type LoadOutcome = {
  readonly requests: number
  readonly tunnels: number
  readonly failures: readonly string[]
  readonly elapsedMs: number
}

const tickMs = 20
const replyTimeoutMs = 10_000
const warmWithinMs = 300
/** What is due while so many wait is left out: the machine is busy, and a backlog would show nothing more. */
const mostWaiting = 200

/** `to`: host:port; each tunnel (CONNECT) is a mesh TLS connection of its own, so a new handshake. */
export function startSteadyLoad(options: {
  readonly outbound: number
  readonly to: string
  readonly expected: string
  readonly perSecond: number
  readonly tunnelsPerSecond: number
}): SteadyLoad {
  const { outbound, to, expected, perSecond, tunnelsPerSecond } = options
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 })
  const failures: string[] = []
  const count = { requests: 0, tunnels: 0 }
  const waiting = new Set<Promise<void>>()
  const begin = (kind: keyof typeof count, run: Promise<string>): void => {
    const done = run
      .then((text) => {
        if (text === expected) count[kind]++
        else failures.push(`${kind}: ${text.slice(0, 200)}`)
      })
      .catch((error: unknown) => void failures.push(`${kind}: ${reasonOf(error)}`))
      .finally(() => waiting.delete(done))
    waiting.add(done)
  }
  const isFree = (): boolean => waiting.size < mostWaiting
  const startedMs = performance.now()
  let sent = 0
  let tunnelled = 0
  // As many as are due by now, so that a late timer sends no fewer.
  const timer = setInterval(() => {
    const elapsedS = (performance.now() - startedMs) / 1000
    for (; sent < elapsedS * perSecond; sent++) if (isFree()) begin('requests', request(agent, outbound, to))
    for (; tunnelled < elapsedS * tunnelsPerSecond; tunnelled++)
      if (isFree()) begin('tunnels', tunnel(outbound, to))
  }, tickMs)
  return {
    stop: async () => {
      clearInterval(timer)
      const elapsedMs = performance.now() - startedMs
      await Promise.all(waiting)
      agent.destroy()
      return { ...count, failures, elapsedMs }
    },
  }
}

/** New connections until several in a row were quick: a process that has just started takes its time for the first. */
export async function warmUp(outbound: number, to: string, expected: string): Promise<void> {
  for (let inARow = 0; inARow < 5; ) {
    const begunMs = performance.now()
    const text = await tunnel(outbound, to)
    inARow = text === expected && performance.now() - begunMs < warmWithinMs ? inARow + 1 : 0
  }
}

function request(agent: http.Agent, outbound: number, to: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = http.get(
      {
        agent,
        host: '127.0.0.1',
        port: outbound,
        path: `http://${to}/`,
        headers: { host: to },
        timeout: replyTimeoutMs,
      },
      (reply) => {
        let text = ''
        reply.setEncoding('utf8').on('data', (piece: string) => (text += piece))
        reply.on('end', () => resolve(reply.statusCode === 200 ? text : `${reply.statusCode} ${text}`))
        reply.on('error', reject)
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error('no reply')))
    outgoing.on('error', reject)
  })
}

/** One request through a tunnel; its body. */
function tunnel(outbound: number, to: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(outbound, '127.0.0.1')
    let text = ''
    let open = false
    socket.setTimeout(replyTimeoutMs, () => socket.destroy(new Error('no reply')))
    socket.on('error', reject)
    socket.on('close', () =>
      resolve(text.includes('\r\n\r\n') ? (text.split('\r\n\r\n').at(-1) as string) : text),
    )
    socket.setEncoding('latin1').on('data', (piece: string) => {
      text += piece
      if (open || !text.endsWith('\r\n\r\n')) return
      if (!text.startsWith('HTTP/1.1 200')) {
        socket.end()
        return
      }
      open = true
      text = ''
      socket.write(`GET / HTTP/1.1\r\nHost: ${to}\r\nConnection: close\r\n\r\n`)
    })
    socket.write(`CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n\r\n`)
  })
}
