/** The admin server of a process: liveness, readiness, metrics, and the pages that the process adds. */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formatAddress, isLoopback } from './address.ts'
import { WeftError, reasonOf, systemCodeOf } from './errors.ts'
import type { Log } from './log.ts'
import type { Registry } from './metrics.ts'

export type AdminMethod = 'GET' | 'POST'

export type AdminRequest = {
  readonly method: AdminMethod
  readonly path: string
  readonly query: URLSearchParams
  readonly body: string
  readonly header: (name: string) => string | undefined
  /** A program on this machine, or a page of this server in a browser there; no page of anybody else's. */
  readonly isLocal: boolean
}

/** A string is sent as text, anything else as JSON. */
export type AdminReply = {
  readonly status?: number
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | object
  /** Whoever asks takes any answer for a good one: the connection is cut instead. */
  readonly cut?: boolean
}

/** A reply that goes on: what is written to `response`, until either side ends it. */
export type AdminStream = {
  readonly contentType: string
  readonly stream: (response: ServerResponse) => void
}

export type AdminHandler = (
  request: AdminRequest,
) => AdminReply | AdminStream | Promise<AdminReply | AdminStream>

/** True, or the reason why not. */
export type ReadinessCheck = () => true | string

/** Who is served a page: `local` is a program on this machine. */
export type Audience = 'everyone' | 'local'

type Page = { readonly handler: AdminHandler; readonly audience: Audience }

const LARGEST_BODY_BYTES = 64 * 1024
/** An admin client that takes longer than this is stuck, or means harm. */
const REQUEST_TIMEOUT_MS = 10_000
/** Who watches a mesh has a few; what is beyond is closed as it comes. */
const MOST_CONNECTIONS = 1_024

export class AdminServer {
  readonly #host: string
  readonly #port: number
  readonly #log: Log
  readonly #checks = new Map<string, ReadinessCheck>()
  readonly #audience: Audience
  readonly #pages = new Map<string, Map<AdminMethod, Page>>()
  #server: Server | undefined

  constructor(options: {
    readonly host: string
    readonly port: number
    readonly log: Log
    readonly registry: Registry
    /** Who is served the pages that are added; everybody unless set. */
    readonly audience?: Audience
  }) {
    this.#audience = options.audience ?? 'everyone'
    this.#host = options.host
    this.#port = options.port
    this.#log = options.log
    const { registry } = options
    this.page('GET', '/live', () => ({ body: 'live\n' }), 'everyone')
    this.page('GET', '/ready', () => this.#readiness(), 'everyone')
    const metrics = async () => ({ contentType: registry.contentType, body: await registry.metrics() })
    this.page('GET', '/metrics', metrics, 'everyone')
  }

  /** Adds a condition that must hold for /ready to answer 200. */
  addCheck(name: string, check: ReadinessCheck): void {
    this.#checks.set(name, check)
  }

  /** Adds a page. What changes state is POST, and is served to loopback peers only. */
  page(method: AdminMethod, path: string, handler: AdminHandler, audience = this.#audience): void {
    const methods = this.#pages.get(path) ?? new Map<AdminMethod, Page>()
    methods.set(method, { handler, audience })
    this.#pages.set(path, methods)
  }

  /** Listens, and gives the port in use. Throws PORT_IN_USE or LISTEN_FAILED. */
  async start(): Promise<{ readonly port: number }> {
    const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        this.#log.error({ error, path: request.url }, 'an admin page failed')
        send(response, { status: 500, body: `${reasonOf(error)}\n` })
      })
    })
    server.maxConnections = MOST_CONNECTIONS
    this.#server = server
    const port = await listen(server, this.#host, this.#port, 'admin')
    server.on('error', (error) => this.#log.error({ error }, 'the admin server failed'))
    server.on('clientError', (_error, socket) => socket.destroy())
    this.#log.info({ name: 'admin', address: formatAddress({ host: this.#host, port }) }, 'listening')
    return { port }
  }

  /** Stops listening and closes every connection. */
  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined || !server.listening) return
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', (error) => this.#log.debug({ error }, 'an admin request broke off'))
    response.on('error', (error) => this.#log.debug({ error }, 'an admin reply broke off'))
    const url = URL.parse(request.url ?? '/', 'http://admin')
    if (url === null) return send(response, { status: 400, body: 'not a valid path\n' })
    const methods = this.#pages.get(url.pathname)
    if (methods === undefined) return send(response, { status: 404, body: this.#listOfPages() })
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const page = method === 'GET' || method === 'POST' ? methods.get(method) : undefined
    if (page === undefined) {
      response.setHeader('allow', [...methods.keys()].join(', '))
      return send(response, { status: 405, body: `use ${[...methods.keys()].join(' or ')}\n` })
    }
    if (method === 'POST' && !mayChangeState(request)) {
      return send(response, { status: 403, body: 'only local programs may change state\n' })
    }
    if (page.audience === 'local' && !isLocal(request)) {
      return send(response, { status: 403, body: 'only local programs are served this page\n' })
    }
    const body = method === 'POST' ? await readBody(request) : ''
    if (body === undefined) return send(response, { status: 413, body: 'the body is too large\n' })
    const adminRequest = {
      method: method as AdminMethod,
      path: url.pathname,
      query: url.searchParams,
      body,
      header: (name: string) => [request.headers[name.toLowerCase()]].flat()[0],
      isLocal: isLocal(request),
    }
    send(response, await page.handler(adminRequest))
  }

  #readiness(): AdminReply {
    const failing: string[] = []
    for (const [name, check] of this.#checks) {
      const result = check()
      if (result !== true) failing.push(`${name}: ${result}`)
    }
    return failing.length === 0 ? { body: 'ready\n' } : { status: 503, body: `${failing.join('\n')}\n` }
  }

  #listOfPages(): string {
    const lines = [...this.#pages].flatMap(([path, methods]) =>
      [...methods.keys()].map((method) => `${method} ${path}`),
    )
    return `no such page; there are:\n${lines.toSorted().join('\n')}\n`
  }
}

/** Listens on an address and gives the port; `name` says in the error what wanted it. */
export function listen(
  server: { listen(port: number, host: string): unknown } & Pick<Server, 'once' | 'off' | 'address'>,
  host: string,
  port: number,
  name: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => {
      const address = formatAddress({ host, port })
      const inUse = systemCodeOf(error) === 'EADDRINUSE'
      const message = inUse
        ? `${name}: ${address} is in use`
        : `${name}: cannot listen on ${address}: ${error.message}`
      reject(new WeftError(inUse ? 'PORT_IN_USE' : 'LISTEN_FAILED', message, { cause: error }))
    }
    server.once('error', onError)
    server.once('listening', () => {
      server.off('error', onError)
      resolve((server.address() as AddressInfo).port)
    })
    server.listen(port, host)
  })
}

/** Whether a program on this machine asks. A name in Host that is none of loopback's is that of a page which leads a browser here (DNS rebinding). */
export function isLocal({ socket, headers }: IncomingMessage): boolean {
  const host = headers.host ?? ''
  const named = host.replace(/:[0-9]+$/, '').replace(/^\[(.*)\]$/, '$1')
  const sameOrigin = headers.origin === undefined || headers.origin === `http://${host}`
  return isLoopback(socket.remoteAddress) && (named === 'localhost' || isLoopback(named)) && sameOrigin
}

/** A browser on this machine is not a local program: whatever page it shows could be the one that asks. */
function mayChangeState(request: IncomingMessage): boolean {
  return isLoopback(request.socket.remoteAddress) && request.headers.origin === undefined
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > LARGEST_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function send(response: ServerResponse, reply: AdminReply | AdminStream): void {
  if (response.headersSent || response.destroyed) return
  if ('stream' in reply) {
    response.writeHead(200, {
      'content-type': reply.contentType,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    response.flushHeaders()
    reply.stream(response)
    return
  }
  if (reply.cut === true) {
    response.destroy()
    return
  }
  const isText = typeof reply.body === 'string'
  const body = typeof reply.body === 'string' ? reply.body : `${JSON.stringify(reply.body, undefined, 2)}\n`
  response.statusCode = reply.status ?? 200
  response.setHeader(
    'content-type',
    reply.contentType ?? (isText ? 'text/plain; charset=utf-8' : 'application/json'),
  )
  response.setHeader('content-length', Buffer.byteLength(body))
  response.setHeader('x-content-type-options', 'nosniff')
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value)
  response.end(body)
}
