/** A TCP probe: whether something accepts. */
import { createConnection } from 'node:net'
import { type ApplicationAddress, localAddressOf } from '../application-addresses.ts'
import { deadline, type ProbeAnswer } from './probe-answer.ts'

/** Rejects when nothing does, or not in time. */
export function askTcp(at: ApplicationAddress, port: number, timeoutMs: number): Promise<ProbeAnswer> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: at.host, port, ...localAddressOf(at) })
    const done = deadline(timeoutMs, (error) => socket.destroy(error))
    socket.once('connect', () => {
      resolve({ status: 200, body: 'connected\n' })
      socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', done)
  })
}
