/** A body's last piece may ask its source to wait; that must not outlive the body, or the connection never reads again. */
import { expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { Body, type BodySink } from '../../proxy/body.ts'
import { type Downstream, Exchange, type Receiver, Reply } from '../../proxy/exchange.ts'
import { HeaderList } from '../../proxy/header-list.ts'
import { ClientConnection } from '../../proxy/http1/client-connection.ts'
import { ConnectionLimit } from '../../proxy/listen/connection-limit.ts'
import { Connections } from '../../proxy/listen/connections.ts'
import { Listener } from '../../proxy/listen/listener.ts'
import { Admission } from '../../proxy/overload/admission.ts'
import { dialPlain } from '../../proxy/pool/dial.ts'
import { serveHttp1 } from '../../proxy/serve.ts'
import { startApplication } from '../support/application.ts'
import { RawClient } from '../support/raw-tcp.ts'

const downstream: Downstream = {
  direction: 'outbound',
  peerAddress: '127.0.0.1',
  peerPort: 0,
  meshTls: false,
  principal: undefined,
  originalDestination: undefined,
  applicationPort: 0,
  stats: undefined,
}
const bodyBytes = 256 * 1024

/** Takes all of `body`, asking for a pause at every piece, and not for its end at the last one. */
function readReluctantly(body: Body): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0
    const sink: BodySink = {
      write: (piece) => {
        bytes += piece.length
        if (bytes < bodyBytes) setImmediate(() => body.resume())
        return false
      },
      end: () => resolve(bytes),
      abort: reject,
    }
    body.start(sink)
  })
}

test('a reply that ended in a pause leaves its connection readable', async () => {
  const application = await startApplication(({ socket }) =>
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bodyBytes}\r\n\r\n${'x'.repeat(bodyBytes)}`),
  )
  const wire = await dialPlain('127.0.0.1', application.port, 1000, systemClock)
  const connection = new ClientConnection(wire, { onIdle: () => undefined, onClosed: () => undefined })
  try {
    for (const target of ['/1', '/2']) {
      const request = {
        method: 'GET',
        target,
        authority: 'app.test',
        absoluteForm: false,
        headers: HeaderList.of('Host', 'app.test'),
        acceptsTrailers: false,
        upgrade: undefined,
      }
      const reply = await new Promise<Reply>((resolve, reject) =>
        connection.send(new Exchange(downstream, request, Body.empty, 0), {
          onReply: (_x, answer) => resolve(answer),
          onFailure: (_x, error) => reject(error as Error),
        }),
      )
      expect(await readReluctantly(reply.body)).toBe(bodyBytes)
      expect(connection.usable).toBe(true)
    }
  } finally {
    connection.destroy()
    await application.stop()
  }
})

test('an upload that ended in a pause leaves its connection readable', async () => {
  const connections = new Connections(systemClock)
  const counts = { opened: 0, closed: 0, violations: 0, detectTimeouts: 0, readBytes: 0, writtenBytes: 0 }
  const stats = { ...counts, flags: new Map(), tcpErrors: new Map(), live: new Set<never>() }
  const handler = (x: Exchange, receiver: Receiver): void => {
    void readReluctantly(x.body).then((bytes) => {
      const content = String(bytes)
      const headers = HeaderList.of('Content-Length', String(content.length))
      receiver.onReply(x, new Reply(200, 'OK', headers, Body.of(content)))
    })
  }
  const timeouts = { headMs: 10_000, idleMs: 60_000, streamIdleMs: 60_000 }
  const admission = new Admission()
  const reports = { onViolation: () => undefined, onTcpEnd: undefined, onTcpRefused: () => undefined }
  const parts = { clock: systemClock, connections, stats, timeouts, admission, ...reports }
  const listener = new Listener(
    new ConnectionLimit(10),
    stats,
    ({ wire }) => serveHttp1(wire, downstream, handler, undefined, parts),
    () => undefined,
  )
  const client = new RawClient(await listener.listen('127.0.0.1', 0))
  try {
    for (let round = 0; round < 2; round++) {
      client.write(`POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${bodyBytes}\r\n\r\n`)
      client.write('x'.repeat(bodyBytes))
      const text = await client.take((sofar) => sofar.endsWith(String(bodyBytes)))
      expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    }
  } finally {
    client.destroy()
    connections.destroyAll()
    await listener.close()
  }
})
