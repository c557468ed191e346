/** The HTTP/2 matrix through a real sidecar on real sockets, before an application that knows HTTP/1 only. */
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  headers,
  preface,
  RawHttp2,
  request,
  settings,
  settingsAck,
  types,
  frame,
  flags,
} from '../support/http2-frames.ts'
import { type HttpApplication, startHttpApplication } from '../support/http-application.ts'
import { type PlainDataPath, startPlainDataPath } from '../support/plain-data-path.ts'
import { http2FrameRows } from './http2-frame-rows.ts'
import { http2HeadRows } from './http2-head-rows.ts'
import type { Http2Row } from './http2-row.ts'
import { code } from './http2-row.ts'

let app: HttpApplication
let plain: PlainDataPath

beforeAll(async () => {
  app = await startHttpApplication('app', (incoming, response) => {
    if (incoming.url !== '/slow') response.end('app')
  })
  plain = await startPlainDataPath([app.port])
  // Until it is known that the application speaks HTTP/1 only.
  const peer = await RawHttp2.connect(plain.port)
  peer.send(headers(1, request()))
  await peer.until(() => peer.ended(1))
  peer.destroy()
})

afterAll(async () => {
  plain.stop()
  await app.stop()
})

async function check(row: Http2Row, send: (peer: RawHttp2) => void): Promise<void> {
  const before = app.requests
  const peer = await RawHttp2.connect(plain.port)
  try {
    send(peer)
    const { goaway, reset, status } = row
    if (goaway !== undefined) {
      await peer.until(() => peer.goawayCode !== undefined)
      expect(goaway).toContain(peer.goawayCode)
      await peer.until(() => peer.closed)
    } else if (reset !== undefined) {
      const [id, by] = reset
      await peer.until(() => peer.resetCode(id) !== undefined)
      expect(peer.resetCode(id)).toBe(by)
      expect(peer.status(id)).toBeUndefined()
    } else if (status !== undefined) {
      const [id, wanted] = status
      await peer.until(() => peer.ended(id))
      expect(peer.status(id)).toBe(wanted)
    }
    if (goaway === undefined) {
      await peer.settle()
      expect(peer.closed).toBe(false)
      if (row.requests !== undefined) expect(app.requests - before).toBe(row.requests)
    }
  } finally {
    peer.destroy()
  }
}

const rows = [...http2FrameRows, ...http2HeadRows].map((row) => [row.name, row] as const)

describe('sent as a whole', () => {
  test.each(rows)('%s', (_, row) => check(row, (peer) => peer.send(...row.send)))
})

describe('sent byte by byte', () => {
  const short = rows.filter(([, { send }]) => Buffer.concat(send).length < 400)
  test.each(short)('%s', (_, row) =>
    check(row, (peer) => {
      for (const byte of Buffer.concat(row.send)) peer.socket.write(Buffer.from([byte]))
    }),
  )
})

describe('the beginning of a connection', () => {
  const begun = (...pieces: readonly Buffer[]): RawHttp2 => {
    const peer = new RawHttp2(net.connect({ port: plain.port, host: '127.0.0.1', noDelay: true }))
    peer.send(...pieces)
    return peer
  }

  test('1 a preface in single bytes is one', async () => {
    const peer = begun()
    for (const byte of Buffer.concat([preface, settings(), settingsAck]))
      peer.socket.write(Buffer.from([byte]))
    peer.send(headers(1, request()))
    await peer.until(() => peer.ended(1))
    expect(peer.status(1)).toBe('200')
    peer.destroy()
  })

  test.each([
    ['3 PING', frame(types.ping, 0, 0, Buffer.alloc(8))],
    ['4 an acknowledgement of SETTINGS', frame(types.settings, flags.ack, 0)],
    ['HEADERS', headers(1, request())],
  ])('%s instead of SETTINGS ends the connection', async (_, first) => {
    const peer = begun(preface, first)
    await peer.until(() => peer.closed)
    expect(peer.goawayCode).toBe(code.protocol)
  })
})
