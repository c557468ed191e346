/** An application on node:http2 in clear. */
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'

export type Http2Application = {
  readonly port: number
  /** Requests that arrived, and connections that were opened. */
  readonly requests: number
  readonly opened: number
  readonly sessions: ReadonlySet<http2.ServerHttp2Session>
  readonly stop: () => Promise<void>
  /** Ends as a well-behaved server does: it says so (GOAWAY), finishes what is under way, and closes. */
  readonly finish: () => Promise<void>
}

export type AnsweringStream = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void

/** Answers with what it is sent, unless told otherwise. */
export async function startHttp2Application(
  answer: AnsweringStream = echo,
  settings: http2.Settings = {},
  port = 0,
): Promise<Http2Application> {
  let requests = 0
  let opened = 0
  const sessions = new Set<http2.ServerHttp2Session>()
  const server = http2.createServer({ settings, maxSessionMemory: 1000 })
  server.on('session', (session) => {
    opened++
    sessions.add(session)
    session.on('error', () => undefined)
    session.on('close', () => sessions.delete(session))
  })
  server.on('stream', (stream: http2.ServerHttp2Stream, headers) => {
    requests++
    stream.on('error', () => undefined)
    answer(stream, headers)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    get requests() {
      return requests
    },
    get opened() {
      return opened
    },
    sessions,
    finish: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const session of sessions) session.close()
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const session of sessions) session.destroy()
      }),
  }
}

/** The request's content, and what it was asked in fields and trailers. */
export const echo: AnsweringStream = (stream, headers) => {
  stream.respond(
    {
      ':status': 200,
      'content-type': 'text/plain',
      'x-method': headers[':method'],
      'x-path': headers[':path'],
    },
    { waitForTrailers: true },
  )
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': 'reached' }))
  stream.pipe(stream)
}
