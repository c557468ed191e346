/**
 * Slowloris: clients that send one byte of a head every second, for ever.
 *   node dripping-clients.ts PORT COUNT      a line 'open' once all are; when all are closed, one line of JSON
 */
import net from 'node:net'
import { exitWithParent } from '../../core/exit-with-parent.ts'

exitWithParent(process.env)
const [port = 0, count = 0] = process.argv.slice(2).map(Number)
const head = `GET / HTTP/1.1\r\nHost: app.shop:8080\r\nX-Slow: ${'a'.repeat(1000)}`
/** Dialled together; more would only overflow the backlog. */
const batch = 250

const lifetimesMs: number[] = []
let refused = 0
let answered408 = 0
let opened = 0

function report(): void {
  if (lifetimesMs.length + refused < count) return
  process.stdout.write(`${JSON.stringify({ refused, answered408, longestMs: Math.max(...lifetimesMs) })}\n`)
}

function drip(): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    let startedMs = 0
    let sent = 0
    let timer: NodeJS.Timeout | undefined
    const sendByte = (): void => void socket.write(head.charAt(sent++ % head.length))
    socket.on('connect', () => {
      startedMs = performance.now()
      opened++
      sendByte()
      timer = setInterval(sendByte, 1000)
      resolve()
    })
    socket.on('data', (piece) => {
      if (piece.toString('latin1').startsWith('HTTP/1.1 408 ')) answered408++
      clearInterval(timer)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearInterval(timer)
      if (startedMs === 0) refused++
      else lifetimesMs.push(performance.now() - startedMs)
      resolve()
      report()
    })
  })
}

while (opened + refused < count)
  await Promise.all(Array.from({ length: Math.min(batch, count - opened - refused) }, drip))
process.stdout.write('open\n')
