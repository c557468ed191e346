/** The dashboard over a made-up mesh: its page as the control plane serves it, beside figures that a test chooses. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TappedExchange } from '../../api/live.ts'
import { addDashboard } from '../../control-plane/dashboard/dashboard.ts'
import { AdminServer } from '../../core/admin-server.ts'
import { createLog } from '../../core/log.ts'
import { createRegistry } from '../../core/metrics.ts'
import type { FixtureMesh } from './fixture-mesh.ts'

export type FixtureDashboard = {
  readonly url: string
  /** What its tap was asked for, the last first. */
  readonly taps: readonly string[]
  readonly runningTaps: () => number
  /** Cuts every stream, and answers nothing more. */
  readonly vanish: () => void
  readonly stop: () => Promise<void>
}

const everyMs = 1_000
const tapEveryMs = 100

function exchange(i: number): TappedExchange {
  const failed = i % 9 === 4
  return {
    atMs: Date.now(),
    source: { namespace: 'shop', name: i % 3 === 0 ? 'client' : 'web', kind: 'Deployment' },
    sourcePod: i % 3 === 0 ? 'client-7d9c6-x2' : 'web-7d9c6-x2',
    direction: 'outbound',
    destination: i % 3 === 0 ? 'web.shop:8080' : 'catalog.shop:8080',
    endpoint: '10.0.3.17:4143',
    peer: 'spiffe://cluster.local/ns/shop/sa/catalog-v1',
    tls: i % 5 !== 0,
    method: i % 4 === 0 ? 'POST' : 'GET',
    authority: 'catalog:8080',
    path: `/orders/${1000 + i}?page=2`,
    status: failed ? 503 : i % 7 === 3 ? 404 : 200,
    grpcStatus: null,
    failed,
    durationMs: 1.7 + (i % 13) * 3.1,
    requestBytes: (i % 4) * 512,
    replyBytes: 2048 + i * 3,
    flags: failed ? 'UF' : '',
    traceId: i % 10 === 0 ? 'd0f88e3e814cee73d3f07be9614164de' : null,
  }
}

/** Writes until the client goes. */
function stream(
  response: http.ServerResponse,
  contentType: string,
  stepMs: number,
  next: () => string,
): void {
  response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' })
  response.write(next())
  const timer = setInterval(() => response.write(next()), stepMs)
  response.on('close', () => clearInterval(timer))
}

async function startAdmin(
  fixture: FixtureMesh,
): Promise<{ readonly admin: AdminServer; readonly port: number }> {
  const log = createLog({ process: 'control-plane', level: 'silent' })
  const registry = createRegistry('control-plane')
  const admin = new AdminServer({ host: '127.0.0.1', port: 0, log, registry })
  addDashboard(admin, log)
  admin.page('GET', '/services', () => ({ body: { services: fixture.services } }))
  admin.page('GET', '/splits', () => ({ body: { splits: fixture.splits(Date.now()) } }))
  const { port } = await admin.start()
  return { admin, port }
}

/** Resolves when the page is there: in a source tree it is built first, of which no image knows. */
export async function startFixtureDashboard(fixture: FixtureMesh): Promise<FixtureDashboard> {
  const { admin, port: adminPort } = await startAdmin(fixture)
  const taps: string[] = []
  let running = 0
  let gone = false
  const started = Date.now()
  const server = http.createServer((request, response) => {
    if (gone) {
      request.destroy()
      return
    }
    const { pathname, search } = new URL(request.url ?? '/', 'http://fixture')
    if (pathname === '/live/stream') {
      const next = (): string => {
        const now = Date.now()
        return `data: ${JSON.stringify(fixture.mesh((now - started) / 1000, now))}\n\n`
      }
      stream(response, 'text/event-stream', everyMs, next)
    } else if (pathname === '/live/tap') {
      taps.unshift(search)
      let i = 0
      running++
      response.on('close', () => running--)
      stream(response, 'application/x-ndjson', tapEveryMs, () => `${JSON.stringify(exchange(i++))}\n`)
    } else {
      const onward = http.get({ host: '127.0.0.1', port: adminPort, path: request.url }, (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.headers)
        reply.pipe(response)
      })
      onward.on('error', () => response.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dashboard/`
  await fetch(url)
  return {
    url,
    taps,
    runningTaps: () => running,
    vanish: () => {
      gone = true
      server.closeAllConnections()
    },
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await admin.stop()
    },
  }
}
