/** node:http2 on both sides: streams, and pipes for the bodies. */
import http2 from 'node:http2'

const [port, upstreamPort] = process.argv.slice(2)

function connect(): http2.ClientHttp2Session {
  return http2.connect(`http://127.0.0.1:${upstreamPort}`).on('error', () => undefined)
}

let session = connect()

function upstream(): http2.ClientHttp2Session {
  if (session.closed || session.destroyed) session = connect()
  return session
}

http2
  .createServer()
  .on('stream', (opened, headers) => {
    const stream = opened as http2.ServerHttp2Stream
    const request = upstream().request(headers)
    request.on('response', (answer) => {
      // Its client has gone.
      if (stream.destroyed) return
      stream.respond(answer)
      request.pipe(stream)
    })
    request.on('error', () => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR))
    stream.on('error', () => request.close(http2.constants.NGHTTP2_CANCEL))
    stream.pipe(request)
  })
  .listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 })
