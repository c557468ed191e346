/** Requests by node:http2. */
import http2 from 'node:http2'

export type Http2Answer = {
  readonly status: number | undefined
  readonly headers: http2.IncomingHttpHeaders
  readonly trailers: http2.IncomingHttpHeaders
  readonly content: Buffer
}

/** A session in clear, by prior knowledge. */
export function connectHttp2(
  port: number,
  options: http2.ClientSessionOptions = {},
): http2.ClientHttp2Session {
  const session = http2.connect(`http://127.0.0.1:${port}`, { maxSessionMemory: 1000, ...options })
  session.on('error', () => undefined)
  return session
}

/** Sends one request for `app.test`. Rejects when the stream breaks. */
export function ask(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders = {},
  content: Buffer | string = '',
): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const options = { endStream: content.length === 0 }
    const stream = session.request({ ':authority': 'app.test', ':path': '/', ...headers }, options)
    let status: number | undefined
    let replied: http2.IncomingHttpHeaders = {}
    let trailers: http2.IncomingHttpHeaders = {}
    const pieces: Buffer[] = []
    stream.on('response', (fields) => {
      status = fields[':status']
      replied = fields
    })
    stream.on('trailers', (fields) => {
      trailers = fields
    })
    stream.on('data', (piece: Buffer) => pieces.push(piece))
    stream.on('error', reject)
    stream.on('close', () => {
      if (stream.rstCode !== 0) reject(new Error(`reset with code ${stream.rstCode}`))
    })
    stream.on('end', () => resolve({ status, headers: replied, trailers, content: Buffer.concat(pieces) }))
    if (content.length > 0) stream.end(content)
  })
}
