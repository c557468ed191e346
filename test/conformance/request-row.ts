/** One row of the request matrix, and the words that rows are written in. */

export type RequestRow = {
  /** Begins with the number of the row. */
  readonly name: string
  /** The client's bytes. */
  readonly request: string
  /** The statuses of the final replies that the client gets, in their order. */
  readonly statuses: readonly number[]
  /** All that reaches the application, chunks joined; of a refused request some of its beginning may. */
  readonly upstream: string
  /** The client's connection is closed after the last reply. */
  readonly closed: boolean
  /** What this hop adds to the replies of the application, one by one. */
  readonly hopFields: readonly string[]
  /** What of `upstream` is there or not, by how the request came. */
  readonly optional?: string
  /** The application's reply, and that it keeps its connection and the connection serves the next request. */
  readonly reply: string
  readonly pooled: boolean
}

export const okReply = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

type Options = Partial<Omit<RequestRow, 'name' | 'request' | 'upstream'>>

export const host = 'Host: app.test\r\n'
export const get = (fields = ''): string => `GET / HTTP/1.1\r\n${host}${fields}\r\n`
export const getOf = (target: string): string => `GET ${target} HTTP/1.1\r\n${host}\r\n`
export const oldGet = (fields = ''): string => `GET / HTTP/1.0\r\n${host}${fields}\r\n`
export const post = (fields: string, body: string): string => `POST / HTTP/1.1\r\n${host}${fields}\r\n${body}`
export const closeField = 'Connection: close\r\n'
export const chunkedField = 'Transfer-Encoding: chunked\r\n'
export const chunkedPost = (body: string): string => post(chunkedField, body)

/** Is served, and reaches the application as `upstream`. */
export const passes = (
  name: string,
  request: string,
  upstream = request,
  options: Options = {},
): RequestRow => ({
  statuses: [200],
  closed: false,
  hopFields: [],
  reply: okReply,
  pooled: true,
  ...options,
  name,
  request,
  upstream,
})

/** As `passes`, and is the last on its connection. */
export const ends = (name: string, request: string, upstream: string, options: Options = {}): RequestRow =>
  passes(name, request, upstream, { closed: true, hopFields: [closeField], ...options })

/** Nothing reaches the application; the client's connection is closed. */
export const refused = (name: string, request: string, status = 400): RequestRow =>
  passes(name, request, '', { statuses: [status], closed: true })

/** A good head with a bad body: of `upstream` a part may reach the application, and its connection is given up. */
export const broken = (name: string, request: string, upstream: string, status = 400): RequestRow => ({
  ...refused(name, request, status),
  upstream,
})

/** A chunked POST whose `body` turns bad behind the content `before`. */
export const badChunks = (name: string, body: string, before = ''): RequestRow =>
  broken(name, chunkedPost(body), chunkedPost(before === '' ? '' : `${before.length}\r\n${before}\r\n`))
