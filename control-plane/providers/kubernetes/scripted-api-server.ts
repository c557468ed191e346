/** An API server for tests: every request waits until the test answers it. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { KubernetesConnection } from '../../../core/kubernetes/connection.ts'

export type ScriptedRequest = {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
  /** Whether the client has gone away. */
  readonly closed: boolean
  /** Answers with JSON. */
  readonly reply: (status: number, body: object | string, headers?: Readonly<Record<string, string>>) => void
  /** Writes lines of a watch; the first call sends the head. */
  readonly stream: (...events: readonly object[]) => void
  readonly end: () => void
  /** Breaks the connection. */
  readonly destroy: () => void
}

export type ScriptedApiServer = {
  /** Leads there, without certificates and tokens. */
  readonly connection: KubernetesConnection
  /** The next request that the test has not seen yet. Rejects when none comes within 5 s. */
  readonly next: () => Promise<ScriptedRequest>
  /** Requests that nobody has looked at yet. */
  readonly unseen: number
  readonly stop: () => Promise<void>
}

const patienceMs = 5_000

function scripted(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  body: string,
): ScriptedRequest {
  const url = new URL(request.url ?? '/', 'http://server')
  response.on('error', () => undefined)
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    body,
    get closed() {
      return response.destroyed
    },
    reply: (status, content, headers = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(typeof content === 'string' ? content : JSON.stringify(content))
    },
    stream: (...events) => {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/json' })
      response.write(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
    },
    end: () => void response.end(),
    destroy: () => void response.destroy(),
  }
}

export async function startScriptedApiServer(): Promise<ScriptedApiServer> {
  const unseen: ScriptedRequest[] = []
  let waiting: ((request: ScriptedRequest) => void) | undefined
  const server = http.createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (piece: string) => {
      body += piece
    })
    request.on('error', () => undefined)
    request.on('end', () => {
      const arrived = scripted(request, response, body)
      if (waiting === undefined) unseen.push(arrived)
      else waiting(arrived)
      waiting = undefined
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    connection: {
      server: new URL(`http://127.0.0.1:${port}`),
      ca: undefined,
      certificate: undefined,
      verify: true,
      serverName: undefined,
      token: () => undefined,
    },
    get unseen() {
      return unseen.length
    },
    next: () => {
      const first = unseen.shift()
      if (first !== undefined) return Promise.resolve(first)
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('no request came')), patienceMs)
        waiting = (request) => {
          clearTimeout(timer)
          resolve(request)
        }
      })
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
