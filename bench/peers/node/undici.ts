/** undici behind node:http, by its cheapest interface: dispatch, without promises or streams towards the upstream. */
import http from 'node:http'
import { Pool } from 'undici'

const [port, upstreamPort] = process.argv.slice(2)
const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: 256 })
const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'expect'])

function endToEnd(headers: http.IncomingHttpHeaders): http.IncomingHttpHeaders {
  const kept: http.IncomingHttpHeaders = {}
  for (const name in headers) if (!hopByHop.has(name)) kept[name] = headers[name]
  return kept
}

http
  .createServer((request, response) => {
    const { method = 'GET', url = '/', headers } = request
    const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
    const options = { method, path: url, headers: endToEnd(headers), body: hasBody ? request : null }
    pool.dispatch(options as Parameters<Pool['dispatch']>[0], {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status, received) => {
        response.writeHead(status, endToEnd(received))
      },
      onResponseData: (controller, piece) => {
        if (response.write(piece)) return
        controller.pause()
        response.once('drain', () => controller.resume())
      },
      onResponseEnd: () => response.end(),
      onResponseError: () => response.destroy(),
    })
  })
  .listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 })
