/** Opens mutual TLS connections one after the other on a few lanes: a handshake, one request, and the end. */
import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import { reasonOf } from '../../core/errors.ts'
import type { TlsFiles } from '../peer.ts'
import { serverName } from '../peers/certificates.ts'
import { ReplyReader } from './reply-reader.ts'
import { encodeRequest, type RequestShape } from './request.ts'

export type HandshakeLoad = {
  readonly port: number
  readonly connections: number
  readonly request: RequestShape
  readonly seconds: number
  /** Brings the ticket of a connection before. */
  readonly resumed: boolean
  readonly clientTls: TlsFiles
}

export type HandshakeCount = {
  readonly completed: number
  readonly errors: number
  /** What was wrong, and how often. */
  readonly reasons: Readonly<Record<string, number>>
}

const handshakeTimeoutMs = 5_000

export class Handshakes {
  readonly #load: HandshakeLoad
  readonly #request: Buffer
  readonly #options: tls.ConnectionOptions
  #session: Buffer | undefined

  constructor(load: HandshakeLoad) {
    this.#load = load
    this.#request = encodeRequest(load.request)
    const { roots, certificate, key } = load.clientTls
    this.#options = {
      host: '127.0.0.1',
      port: load.port,
      servername: serverName,
      ALPNProtocols: ['http/1.1'],
      minVersion: 'TLSv1.3',
      secureContext: tls.createSecureContext({
        ca: readFileSync(roots),
        cert: readFileSync(certificate),
        key: readFileSync(key),
      }),
    }
  }

  /** The first connection, which has no ticket yet. */
  async prepare(): Promise<void> {
    await this.#connect(false)
    if (this.#load.resumed && this.#session === undefined) throw new Error('the server gave no ticket')
  }

  async run(): Promise<HandshakeCount> {
    const deadlineMs = performance.now() + this.#load.seconds * 1000
    let completed = 0
    let errors = 0
    const reasons: Record<string, number> = {}
    const lane = async (): Promise<void> => {
      while (performance.now() < deadlineMs) {
        try {
          await this.#connect(this.#load.resumed)
          completed++
        } catch (error) {
          errors++
          const reason = reasonOf(error)
          reasons[reason] = (reasons[reason] ?? 0) + 1
        }
      }
    }
    await Promise.all(Array.from({ length: this.#load.connections }, lane))
    return { completed, errors, reasons }
  }

  /** Resolves after the reply. Rejects when there is none, or when the handshake was not of the kind asked for. */
  #connect(resumed: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const session = resumed && this.#session !== undefined ? { session: this.#session } : {}
      const socket = tls.connect({ ...this.#options, ...session })
      const reader = new ReplyReader()
      const end = (error?: Error): void => {
        socket.destroy()
        if (error === undefined) resolve()
        else reject(error)
      }
      socket.setTimeout(handshakeTimeoutMs, () => end(new Error('no answer')))
      socket.on('session', (ticket) => {
        this.#session = ticket
      })
      socket.on('error', end)
      socket.on('close', () => end(new Error('the connection was closed')))
      socket.on('secureConnect', () => {
        if (socket.isSessionReused() !== resumed) end(new Error(`resumed: ${!resumed}`))
        else socket.write(this.#request)
      })
      socket.on('data', (piece: Buffer) => {
        const status = reader.read(piece)
        if (status !== 0) end(status === 200 ? undefined : new Error(`status ${status}`))
      })
    })
  }
}
