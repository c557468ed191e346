import net from 'node:net'
import { encodeRequest, plainGet } from './request.ts'

const timeoutMs = 2_000

/** What comes back to one request without TLS until the first answer or the end; empty when nothing does. */
export function exchangePlain(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    const end = (text: string): void => {
      socket.destroy()
      resolve(text)
    }
    socket.setTimeout(timeoutMs, () => end(''))
    socket.on('error', () => end(''))
    socket.on('close', () => end(''))
    socket.on('data', (piece: Buffer) => end(piece.toString('latin1')))
    socket.write(encodeRequest(plainGet))
  })
}
