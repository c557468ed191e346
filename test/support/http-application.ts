/** An application on node:http that counts what it is asked and over which connections. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'

export type HttpApplication = {
  readonly port: number
  /** Requests that arrived. */
  readonly requests: number
  /** Connections that were opened, and those of them that are closed again. */
  readonly opened: number
  readonly closed: number
  readonly stop: () => Promise<void>
  /** Ends as a well-behaved server does: what is under way is finished, idle connections are closed. */
  readonly finish: () => Promise<void>
}

export type Answering = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  /** All of the request's body. */
  body: string,
) => void

/** Answers with `name`, unless told otherwise. Keeps its connections for a minute. */
export async function startHttpApplication(
  name: string,
  answer: Answering = (_request, response) => response.end(name),
  host = '127.0.0.1',
): Promise<HttpApplication> {
  const counts = { requests: 0, opened: 0, closed: 0 }
  const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    counts.requests++
    let body = ''
    request.setEncoding('latin1')
    request.on('data', (piece: string) => {
      body += piece
    })
    request.on('error', () => undefined)
    request.on('end', () => answer(request, response, body))
  })
  server.on('connection', (socket) => {
    counts.opened++
    socket.on('close', () => counts.closed++)
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  return {
    port: (server.address() as AddressInfo).port,
    get requests() {
      return counts.requests
    },
    get opened() {
      return counts.opened
    },
    get closed() {
      return counts.closed
    },
    finish: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
