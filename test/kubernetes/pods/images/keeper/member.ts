/**
 * A member of an ensemble that finds the others by their stable names, and talks to them on ports of its own as ZooKeeper's
 * members do: an election port, a quorum port, and one for clients with its four-letter words.
 *   node member.ts --servers=N
 */
import net from 'node:net'
import { readFileSync } from 'node:fs'

const servers = Number(/--servers=(\d+)/.exec(process.argv.join(' '))?.[1])
// The last word of the last line is the pod's own name, as the kubelet writes it.
const own = readFileSync('/etc/hosts', 'utf8').trim().split(/\s+/).at(-1) as string
const base = own.slice(0, own.lastIndexOf('-'))
const peerPorts = [2888, 3888] as const
const clientPort = 2181
const againMs = 300
/** `name port` of everybody who has answered. */
const heard = new Set<string>()

function serve(port: number, answer: (line: string) => string): void {
  net
    .createServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.on('data', (piece) => socket.end(`${answer(piece.toString().trim())}\n`))
    })
    .listen(port)
}

function greet(peer: string, port: number): void {
  const socket = net.connect(port, `${peer}.${base}-peers`)
  const again = (): void => void setTimeout(() => greet(peer, port), againMs)
  let said = ''
  socket.setTimeout(5_000, () => socket.destroy())
  socket.on('error', () => undefined)
  socket.on('data', (piece) => {
    said += piece.toString()
  })
  socket.on('close', () => {
    if (said === `vote of ${peer} for ${own}\n`) heard.add(`${peer} ${port}`)
    else again()
  })
  // Binary as the real ones, whose messages begin with their length: no text that could pass for a request.
  socket.write(`\0\0${own}\n`)
}

for (const port of peerPorts) serve(port, (line) => `vote of ${own} for ${line.replaceAll('\0', '')}`)
serve(clientPort, (line) => {
  if (line === 'ruok') return heard.size === (servers - 1) * peerPorts.length ? 'imok' : 'electing'
  return [...heard].toSorted().join(', ')
})
for (let i = 0; i < servers; i++)
  if (`${base}-${i}` !== own) for (const port of peerPorts) greet(`${base}-${i}`, port)
