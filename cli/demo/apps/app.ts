/**
 * One application of the demo: answers `GET /...` with its name and what the next one answered. It knows nothing of the
 * mesh but the address of its HTTP proxy, as any program with `http_proxy` set would.
 *   node app.ts NAME PORT [NEXT-URL]       environment: http_proxy
 */
import http from 'node:http'
import { exitWithParent } from '../../../core/exit-with-parent.ts'

const [name = 'app', portText = '0', next] = process.argv.slice(2)
const proxy = process.env['http_proxy'] === undefined ? undefined : new URL(process.env['http_proxy'])
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 })
/** What an application has to pass on for its traces to hang together. */
const traceHeaders = ['traceparent', 'tracestate', 'b3']
let failing = false

function callNext(
  url: string,
  path: string,
  incoming: http.IncomingMessage,
): Promise<{ status: number; body: string }> {
  const headers: http.OutgoingHttpHeaders = { host: new URL(url).host }
  for (const header of traceHeaders)
    if (incoming.headers[header] !== undefined) headers[header] = incoming.headers[header]
  return new Promise((resolve, reject) => {
    const request = http.get(
      { host: proxy?.hostname, port: proxy?.port, path: `${url}${path}`, headers, agent },
      (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (piece: string) => {
          body += piece
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
        response.on('error', reject)
      },
    )
    request.on('error', reject)
  })
}

async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  if (request.url === '/fail' || request.url === '/recover') {
    failing = request.url === '/fail'
    response.end('ok\n')
    return
  }
  const trace = request.headers['traceparent'] ?? ''
  const own = { app: name, trace: String(trace).split('-')[1] ?? '' }
  if (failing) {
    response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify([own]))
    return
  }
  if (next === undefined) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify([own]))
    return
  }
  const { status, body } = await callNext(next, request.url ?? '/', request)
  const rest = body.startsWith('[') ? (JSON.parse(body) as object[]) : []
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify([own, ...rest]))
}

const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume()
  answer(request, response).catch((error: unknown) => {
    response.writeHead(502).end(`${String(error)}\n`)
  })
})
exitWithParent(process.env)
server.listen(Number(portText), '127.0.0.1', () => process.stdout.write(`${name} listening\n`))
