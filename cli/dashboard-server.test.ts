import http, { type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { LiveMesh } from '../api/live.ts'
import { type DashboardServer, serveDashboard } from './dashboard-server.ts'
import { ControlPlaneConnection, type Replica } from './reach/control-plane-connection.ts'

const servers: Server[] = []
let dashboard: DashboardServer
let tapTokens: (string | undefined)[]

/** A replica of the control plane that knows one sidecar, and sees one exchange. */
async function replica(name: string, refuseTaps = false): Promise<Replica> {
  const answer: RequestListener = (request, response) => {
    if (request.url === '/live/mesh') {
      const workload = { namespace: 'shop', name, kind: 'Pod' }
      const sidecar = {
        workload,
        pod: name,
        identity: '',
        version: '',
        connectedAtMs: 0,
        certificateNotAfterMs: null,
      }
      response.end(JSON.stringify({ atMs: 1, windowMs: 1, sidecars: [sidecar], edges: [], inbound: [] }))
    } else if (request.url?.startsWith('/live/tap') === true) {
      tapTokens.push(request.headers['weft-tap-token'] as string | undefined)
      if (refuseTaps) response.writeHead(403).end('not you\n')
      else response.write(`{"path":"/${name}"}\n`)
    } else if (request.url === '/dashboard/') {
      response.writeHead(200, {
        'content-type': 'text/html',
        'content-security-policy': "default-src 'self'",
      })
      response.end(`page of ${name}`)
    } else response.writeHead(500).end()
  }
  const server = http.createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    name,
    open: (path, signal, headers) =>
      new Promise<IncomingMessage>((resolve, reject) => {
        http
          .get({ host: '127.0.0.1', port, path, headers, signal, agent: false }, resolve)
          .on('error', reject)
      }),
  }
}

async function serve(...replicas: readonly Replica[]): Promise<void> {
  dashboard = await serveDashboard(
    new ControlPlaneConnection(
      async () => replicas,
      async () => 'a token',
    ),
    0,
  )
}

beforeEach(() => {
  tapTokens = []
})
afterEach(() => {
  dashboard.stop()
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

type Answer = {
  readonly status: number | undefined
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
}

/** A page, or of one that does not end as much as is `enough`. */
function ask(
  path: string,
  enough = (_text: string): boolean => false,
  headers: http.OutgoingHttpHeaders = {},
  method = 'GET',
): Promise<Answer> {
  const { port } = new URL(dashboard.url)
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', port, path, method, headers, agent: false },
      (response) => {
        let text = ''
        const done = (): void => resolve({ status: response.statusCode, headers: response.headers, text })
        response.setEncoding('utf8').on('end', done).on('error', done)
        response.on('data', (piece: string) => {
          text += piece
          if (!enough(text)) return
          done()
          response.destroy()
        })
      },
    )
    request.on('error', reject).end()
  })
}

test('the page is that of the control plane, with what protects it', async () => {
  await serve(await replica('a'))
  const { status, headers, text } = await ask('/dashboard/')
  expect([status, text, headers['content-security-policy']]).toEqual([200, 'page of a', "default-src 'self'"])
})

test('the live picture is that of all replicas together', async () => {
  await serve(await replica('a'), await replica('b'))
  const { headers, text } = await ask('/live/stream', (seen) => seen.endsWith('\n\n'))
  expect(headers['content-type']).toBe('text/event-stream')
  const { sidecars } = JSON.parse(text.replace(/^data: /, '')) as LiveMesh
  expect(sidecars.map(({ pod }) => pod)).toEqual(['a', 'b'])
})

test('a tap is of all replicas, each asked with a token', async () => {
  await serve(await replica('a'), await replica('b'))
  const { status, text } = await ask('/live/tap?direction=inbound', (seen) => seen.split('\n').length > 2)
  expect(status).toBe(200)
  expect(text.split('\n').toSorted()).toEqual(['', '{"path":"/a"}', '{"path":"/b"}'])
  expect(tapTokens).toEqual(['a token', 'a token'])
})

test('a tap that is refused says why', async () => {
  await serve(await replica('a', true))
  const { status, text } = await ask('/live/tap?')
  expect([status, text]).toEqual([403, expect.stringMatching(/^TAP_REFUSED: not you /)])
})

test.each([
  '/metrics',
  '/live/mesh',
  '/dashboard/../metrics',
  '/dashboard/%2e%2e/x',
  '/services/../x',
  '//x/dashboard/',
])('nothing else of what is behind: %s', async (path) => {
  await serve(await replica('a'))
  expect((await ask(path)).status).toBe(404)
})

test('no page of somebody else, and nothing that writes', async () => {
  await serve(await replica('a'))
  expect((await ask('/dashboard/', undefined, { host: 'rebound.example' })).status).toBe(403)
  expect((await ask('/services', undefined, { origin: 'http://other.example' })).status).toBe(403)
  expect((await ask('/services', undefined, {}, 'POST')).status).toBe(405)
})

test('a control plane that is away is told as such', async () => {
  const away = await replica('a')
  servers.splice(0).forEach((server) => server.close())
  await serve(away)
  const { status, text } = await ask('/services')
  expect([status, text]).toEqual([
    502,
    expect.stringMatching(/^CONTROL_PLANE_UNREACHABLE: the control plane at a/),
  ])
})
