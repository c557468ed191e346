/**
 * The dashboard of a cluster on this machine: a browser has no kubeconfig, so its requests go through here. What replicas of
 * the control plane know is put together. It only reads, and answers no other site's pages.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { isLocal, listen } from '../core/admin-server.ts'
import { describe, failureFields } from '../core/errors.ts'
import { readLiveMesh } from './live-mesh.ts'
import type { ControlPlaneConnection } from './reach/control-plane-connection.ts'
import { pause } from './until-ended.ts'

const liveEveryMs = 1_000
/** A browser that does not read loses what is above this. */
const maxUnreadBytes = 1024 * 1024
/** All that the page asks for, and nothing else of what is behind: no path may climb out of it. */
const passedOn = /^\/(?:dashboard(?:\/(?:[\w-]+[\w.-]*\/)*(?:[\w-]+[\w.-]*)?)?|services|splits)$/
const kept = ['content-type', 'content-security-policy', 'referrer-policy', 'cache-control', 'location']

export type DashboardServer = { readonly url: string; readonly stop: () => void }

/** Serves it on loopback; port 0 picks one. Rejects with PORT_IN_USE or LISTEN_FAILED. */
export async function serveDashboard(
  connection: ControlPlaneConnection,
  port: number,
): Promise<DashboardServer> {
  const server = createServer((request, response) => {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    response.on('error', () => undefined)
    answer(connection, request, response, gone.signal).catch((error: unknown) => {
      if (gone.signal.aborted) return
      // What had begun is cut: its end would look like the end of all there is.
      if (response.headersSent) response.destroy()
      else send(response, statusOf(error), describe(error))
    })
  })
  const inUse = await listen(server, '127.0.0.1', port, 'dashboard')
  return {
    url: `http://127.0.0.1:${inUse}/dashboard/`,
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

function statusOf(error: unknown): number {
  return failureFields(error).code.endsWith('_REFUSED') ? 403 : 502
}

function send(response: ServerResponse, status: number, text: string): void {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }
  response.writeHead(status, headers).end(`${text}\n`)
}

async function answer(
  connection: ControlPlaneConnection,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const target = request.url ?? '/'
  if (!isLocal(request)) return send(response, 403, 'this is for programs on this machine')
  if (request.method !== 'GET') return send(response, 405, 'use GET')
  if (target === '/live/stream') return streamMesh(connection, response, signal)
  if (target.startsWith('/live/tap?')) return streamTap(connection, target, response, signal)
  if (!passedOn.test(target)) return send(response, 404, 'the dashboard is at /dashboard/')
  const page = await connection.open(target, signal)
  const headers = kept.flatMap((name) =>
    page.headers[name] === undefined ? [] : [[name, page.headers[name]]],
  )
  response.writeHead(page.statusCode ?? 502, {
    ...Object.fromEntries(headers),
    'x-content-type-options': 'nosniff',
  })
  for await (const piece of page as AsyncIterable<Buffer>) response.write(piece)
  response.end()
}

/** What all replicas know, every second, as server-sent events. */
async function streamMesh(
  connection: ControlPlaneConnection,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const mesh = await readLiveMesh(connection, signal)
    if (signal.aborted) return
    if (!response.headersSent)
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(`data: ${JSON.stringify(mesh)}\n\n`)
    await pause(liveEveryMs, signal)
    if (signal.aborted) return
  }
}

/** The taps of all replicas, as one. */
function streamTap(
  connection: ControlPlaneConnection,
  target: string,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const begin = (): void => {
    response.writeHead(200, { 'content-type': 'application/jsonl', 'cache-control': 'no-store' })
    response.flushHeaders()
  }
  const onLine = (line: string): void => {
    if (response.writableLength <= maxUnreadBytes) response.write(`${line}\n`)
  }
  return connection.tap(target, signal, onLine, begin)
}
