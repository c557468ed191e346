/** Loads over HTTP/2 that are ours, against a server of node:http2. */
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { Http2OpenLoop } from './http2-open-loop.ts'
import { plainGet, type RequestShape } from './request.ts'
import { UniqueFields, usualFields } from './unique-fields.ts'

type OnStream = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders, before: number) => void

async function serve(onStream: OnStream): Promise<number> {
  let streams = 0
  const sessions = new Set<http2.ServerHttp2Session>()
  const server: http2.Http2Server = http2.createServer()
  server.on('session', (session) => sessions.add(session))
  server.on('stream', (opened, headers) => {
    const stream = opened as http2.ServerHttp2Stream
    stream.on('error', () => undefined)
    onStream(stream, headers, streams++)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function answer(
  stream: http2.ServerHttp2Stream,
  headers: http2.OutgoingHttpHeaders = { ':status': 200 },
): void {
  stream.respond(headers)
  stream.end('x')
}

async function openLoop(port: number, request: RequestShape = plainGet) {
  const pacer = new Worker(new URL('./pacer-thread.ts', import.meta.url))
  onTestFinished(() => void pacer.terminate())
  const load = new Http2OpenLoop({ port, connections: 2, request, ratePerSecond: 1000, seconds: 0.1 })
  await load.prepare()
  return { load, count: await load.run(pacer) }
}

test('all that the schedule holds is sent, a stream each, none of it what warms the connections', async () => {
  let streams = 0
  const port = await serve((stream) => {
    streams++
    answer(stream)
  })
  const { load, count } = await openLoop(port)
  expect(count).toEqual({ completed: 100, errors: 0, reasons: {}, reconnects: 0 })
  expect(streams).toBe(102)
  expect(load.tally.latencyUs.totalCount).toBe(100)
})

test('a stream that waits holds up no other', async () => {
  let waiting: http2.ServerHttp2Stream | undefined
  const port = await serve((stream, _headers, before) => {
    if (before === 2) waiting = stream
    else answer(stream)
    // All others have come, though it has no answer.
    if (before === 101) answer(waiting as http2.ServerHttp2Stream)
  })
  expect((await openLoop(port)).count).toMatchObject({ completed: 100, errors: 0 })
})

test('other statuses, resets and calls that fail are errors, with what they were', async () => {
  const port = await serve((stream, _headers, before) => {
    if (before < 2) answer(stream)
    else if (before === 2) answer(stream, { ':status': 503 })
    else if (before === 3) stream.close(http2.constants.NGHTTP2_CANCEL)
    else answer(stream, { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '14' })
  })
  const { count } = await openLoop(port)
  expect(count).toMatchObject({
    completed: 0,
    errors: 100,
    reasons: { 'status 503': 1, 'stream reset with 8': 1, 'grpc-status 14': 98 },
  })
})

test('a call has its message, and its status in the trailers', async () => {
  const bodies = new Set<number>()
  const port = await serve((stream, headers) => {
    expect(headers).toMatchObject({ ':authority': 'app.bench:8080', te: 'trailers' })
    let bytes = 0
    stream.on('data', (piece: Buffer) => {
      bytes += piece.length
    })
    stream.on('end', () => bodies.add(bytes))
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end('x')
  })
  const headers = [['TE', 'trailers']] as const
  const request = { method: 'POST', path: '/x', headers, bodyBytes: 64, grpc: true } as const
  expect((await openLoop(port, request)).count).toMatchObject({ completed: 100, errors: 0 })
  expect([...bodies]).toEqual([69])
})

test('each of the streams is busy until time is up, and no two requests are alike', async () => {
  const seen: string[] = []
  let open = 0
  let most = 0
  const port = await serve((stream, headers) => {
    seen.push([headers['traceparent'], headers['x-request-id']].join(' '))
    expect(Object.keys(headers).length).toBe(6 + usualFields.length)
    most = Math.max(most, ++open)
    setImmediate(() => {
      open--
      answer(stream)
    })
  })
  const load = new UniqueFields({ port, connections: 2, streams: 3, request: plainGet, seconds: 0.2 })
  await load.prepare()
  const { completed, errors } = await load.run()
  expect([completed, errors]).toEqual([seen.length, 0])
  expect(new Set(seen).size).toBe(seen.length)
  expect(seen[0]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00 [0-9a-f]{32}$/)
  expect(most).toBe(6)
})

test('a server that fails at once ends the load', async () => {
  const port = await serve((stream) => stream.close(http2.constants.NGHTTP2_REFUSED_STREAM))
  const load = new UniqueFields({ port, connections: 1, streams: 1, request: plainGet, seconds: 30 })
  await load.prepare()
  expect((await load.run()).reasons['stream reset with 7']).toBeGreaterThan(1000)
}, 20_000)
