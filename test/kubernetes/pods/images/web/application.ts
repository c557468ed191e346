/**
 * What a web pod needs beside its server: HTTP that says who asked, a gRPC health service, and a port that takes connections.
 *   node application.ts HTTP_PORT GRPC_PORT TCP_PORT
 */
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'

const [httpPort, grpcPort, tcpPort] = process.argv.slice(2).map(Number)

http
  .createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (piece: string) => {
      body += piece
    })
    request.on('end', () =>
      response.end(JSON.stringify({ url: request.url, body, host: process.env['HOSTNAME'] })),
    )
  })
  .listen(httpPort)

/** `grpc.health.v1.HealthCheckResponse{status: SERVING}` in one message. */
const serving = Buffer.from([0, 0, 0, 0, 2, 8, 1])

http2
  .createServer()
  .on('stream', (stream: http2.ServerHttp2Stream) => {
    stream.on('error', () => undefined)
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.end(serving)
  })
  .listen(grpcPort)

net
  .createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.pipe(socket)
  })
  .listen(tcpPort)
