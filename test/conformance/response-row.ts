/** One row of the response matrix, and the words that rows are written in. */

export type ResponseRow = {
  /** Begins with the number of the row: section 1.2's rows are counted from the top, 1.2.1 to 1.2.15. */
  readonly name: string
  /** What the client asks with. */
  readonly request: string
  /** The application's bytes, and whether it closes after them. */
  readonly upstream: string
  readonly ending: 'open' | 'fin' | 'reset'
  /** What the client gets, chunks joined. */
  readonly client: string
  /** Then the sidecar's own 502 with this flag. */
  readonly failure?: 'UPE' | 'UC'
  /** `cut`: all of `client` comes and then the connection's end; `early`: some of it; `reset`: the end is a RST. */
  readonly closed?: 'cut' | 'early' | 'reset'
  /** The upstream connection serves the next request. */
  readonly pooled?: true
}

export const get = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n'
export const getOld = 'GET / HTTP/1.0\r\nHost: app.test\r\n\r\n'
export const getTrailers = 'GET / HTTP/1.1\r\nHost: app.test\r\nTE: trailers\r\n\r\n'
export const head = 'HEAD / HTTP/1.1\r\nHost: app.test\r\n\r\n'
export const headOld = 'HEAD / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n'
export const upgrade = 'GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

/** What of a request reaches the application. */
export const forwarded = (request: string): string =>
  request
    .replace('HTTP/1.0', 'HTTP/1.1')
    .replace('Connection: keep-alive\r\n', '')
    .replace('TE: trailers', 'Connection: TE\r\nTE: trailers')

export const numbered = (number: string, ...rows: readonly ResponseRow[]): readonly ResponseRow[] =>
  rows.map((row) => ({ ...row, name: `${number} ${row.name}` }))

export const reply = (fields: string, body = ''): string => `HTTP/1.1 200 OK\r\n${fields}\r\n${body}`
export const ok = reply('Content-Length: 2\r\n', 'ok')
export const chunkedField = 'Transfer-Encoding: chunked\r\n'
export const chunked = (body: string): string => reply(chunkedField, body)
export const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'

type Options = Partial<Omit<ResponseRow, 'name' | 'upstream' | 'client'>>

/** Reaches the client as `client`, and the connection is used again. */
export const passes = (
  name: string,
  upstream: string,
  client: string,
  options: Options = {},
): ResponseRow => ({
  request: get,
  ending: 'open',
  pooled: true,
  ...options,
  name,
  upstream,
  client,
})
/** Reaches the client, and the upstream connection is given up. */
export function spoils(name: string, upstream: string, client: string, options: Options = {}): ResponseRow {
  const { pooled: _, ...row } = passes(name, upstream, client, options)
  return row
}
export const refused = (name: string, upstream: string, options: Options = {}): ResponseRow =>
  spoils(name, upstream, '', { failure: 'UPE', ...options })
export const broken = (name: string, upstream: string, ending: 'fin' | 'reset' = 'fin'): ResponseRow =>
  spoils(name, upstream, '', { failure: 'UC', ending })
/** The head went on already, so only the end of the connection can tell the client. */
export const cut = (name: string, upstream: string, client: string, options: Options = {}): ResponseRow =>
  spoils(name, upstream, client, { ending: 'fin', closed: 'cut', ...options })
export const badChunks = (name: string, body: string, request = get): ResponseRow =>
  spoils(name, chunked(body), chunked('3\r\nabc\r\n'), { closed: 'early', request })
