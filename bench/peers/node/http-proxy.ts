/** The usual Node proxy, with a keep-alive agent. */
import http from 'node:http'
import httpProxy from 'http-proxy'

const [port, upstreamPort] = process.argv.slice(2)
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${upstreamPort}`,
  agent: new http.Agent({ keepAlive: true }),
})
proxy.on('error', (_error, _request, response) => response.destroy())
http
  .createServer((request, response) => proxy.web(request, response))
  .listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 })
