/** Sessions of node:http2 towards a port, taken in turn: what our own HTTP/2 loads are sent over. */
import http2 from 'node:http2'
import { authority, type RequestShape } from './request.ts'

/** Windows that no reply of ours fills, so that the client is never what is waited for. */
const windowBytes = 16 * 1024 * 1024

export type Outcome = (problem: string | undefined) => void

/** Pseudo fields and fields of the request, ready to be sent again and again. */
export function fieldsOf({ method, path, headers }: RequestShape): Readonly<Record<string, string>> {
  return {
    ':method': method,
    ':authority': authority,
    ':path': path,
    ...Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
  }
}

/** A reply has a status, and that of a call its grpc-status in the trailers. */
function problemOf(
  rstCode: number,
  headers: http2.IncomingHttpHeaders | undefined,
  trailers: http2.IncomingHttpHeaders | undefined,
): string | undefined {
  if (rstCode !== http2.constants.NGHTTP2_NO_ERROR) return `stream reset with ${rstCode}`
  const status = Number(headers?.[':status'] ?? 0)
  if (status < 200 || status > 299) return `status ${status}`
  if (headers?.['content-type']?.startsWith('application/grpc') !== true) return undefined
  const grpcStatus = (trailers ?? headers)['grpc-status']
  return grpcStatus === '0' ? undefined : `grpc-status ${String(grpcStatus)}`
}

export class Http2Client {
  readonly #sessions: http2.ClientHttp2Session[] = []
  #next = 0

  /** Opens the sessions. Rejects when one cannot be opened. */
  static async open(port: number, connections: number): Promise<Http2Client> {
    const client = new Http2Client()
    for (let i = 0; i < connections; i++) {
      const session = http2.connect(`http://127.0.0.1:${port}`, {
        settings: { initialWindowSize: windowBytes },
      })
      await new Promise<void>((resolve, reject) => {
        session.once('connect', () => resolve())
        session.once('error', reject)
      })
      session.setLocalWindowSize(windowBytes)
      // Its streams tell what has become of them.
      session.on('error', () => undefined)
      client.#sessions.push(session)
    }
    return client
  }

  /** Sends one request over the next session; `onEnd` is told once, with what is wrong if anything is. */
  send(fields: Readonly<Record<string, string>>, body: Buffer | undefined, onEnd: Outcome): void {
    const session = this.#sessions[this.#next++ % this.#sessions.length] as http2.ClientHttp2Session
    if (session.closed || session.destroyed) {
      onEnd('connection closed')
      return
    }
    const stream = session.request(fields, { endStream: body === undefined })
    let headers: http2.IncomingHttpHeaders | undefined
    let trailers: http2.IncomingHttpHeaders | undefined
    stream.on('response', (received) => {
      headers = received
    })
    stream.on('trailers', (received) => {
      trailers = received
    })
    stream.on('error', () => undefined)
    stream.on('close', () => onEnd(problemOf(stream.rstCode, headers, trailers)))
    stream.resume()
    if (body !== undefined) stream.end(body)
  }

  close(): void {
    for (const session of this.#sessions) session.destroy()
  }
}
