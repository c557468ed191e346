/** node:http on both sides: a keep-alive agent, and pipes for the bodies. */
import http from 'node:http'

const [port, upstreamPort] = process.argv.slice(2)
const agent = new http.Agent({ keepAlive: true })

http
  .createServer((request, response) => {
    const { method, url, headers } = request
    const upstream = http.request(
      { host: '127.0.0.1', port: Number(upstreamPort), agent, method, path: url, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      },
    )
    upstream.on('error', () => response.destroy())
    request.pipe(upstream)
  })
  .listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 })
