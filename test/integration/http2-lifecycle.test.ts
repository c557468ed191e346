/** The beginning and the end of HTTP/2 connections: drains on either side, restarts under load, and TLS by ALPN. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Http2Application, startHttp2Application } from '../support/http2-application.ts'
import { ask, connectHttp2 } from '../support/http2-client.ts'
import { data, flags, frame, headers, RawHttp2, request, types } from '../support/http2-frames.ts'
import { startMeshPair } from '../support/mesh-pair.ts'
import { startPlainDataPath } from '../support/plain-data-path.ts'

const mostId = 0x7fff_ffff

describe('a sidecar that is to end', () => {
  async function draining() {
    const app = await startHttp2Application()
    const plain = await startPlainDataPath([app.port])
    onTestFinished(async () => {
      plain.stop()
      await app.stop()
    })
    const peer = await RawHttp2.connect(plain.port)
    peer.send(headers(1, request('POST'), false))
    await peer.until(() => peer.status(1) === '200')
    const drained = plain.dataPath.drain()
    await peer.until(() => peer.of(types.ping).length > 0)
    return { peer, drained, app }
  }

  test('103 says so twice, serves what races with that, and closes when it is done', async () => {
    const { peer, drained, app } = await draining()
    expect(peer.of(types.goaway)[0]?.payload.readUInt32BE(0)).toBe(mostId)
    const ping = peer.of(types.ping)[0]?.payload ?? ''
    peer.send(headers(3, request()), frame(types.ping, flags.ack, 0, ping), headers(5, request()))
    await peer.until(() => peer.of(types.goaway).length === 2)
    expect(peer.of(types.goaway)[1]?.payload.readUInt32BE(0)).toBe(3)
    await peer.until(() => peer.ended(3))
    expect(peer.status(3)).toBe('200')
    expect(peer.closed).toBe(false)
    peer.send(data(1, 'end'))
    await peer.until(() => peer.closed)
    expect(peer.content(1)).toBe('end')
    expect(peer.status(5)).toBeUndefined()
    expect(app.requests).toBe(2)
    peer.destroy()
    await drained
  })

  test('105 the deadline cuts what goes on', async () => {
    const app = await startHttp2Application()
    const plain = await startPlainDataPath([app.port])
    onTestFinished(() => app.stop())
    const peer = await RawHttp2.connect(plain.port)
    peer.send(headers(1, request('POST'), false))
    await peer.until(() => peer.status(1) === '200')
    const drained = plain.dataPath.drain()
    plain.dataPath.destroy()
    await peer.until(() => peer.closed)
    await drained
  })
})

/** Asks over `session` again and again while `restart` runs; what failed. */
async function failuresDuring(port: number, restart: () => Promise<void>): Promise<string[]> {
  const session = connectHttp2(port)
  const failures: string[] = []
  let done = false
  let asked = 0
  const asking = async (): Promise<void> => {
    while (!done) {
      try {
        asked++
        const { status, content } = await ask(session, { ':method': 'POST' }, 'hello')
        if (status !== 200 || content.toString() !== 'hello') failures.push(`${status} ${content.toString()}`)
      } catch (error) {
        failures.push(String(error))
      }
    }
  }
  const workers = Array.from({ length: 8 }, asking)
  await restart()
  await expect.poll(() => asked).toBeGreaterThan(100)
  done = true
  await Promise.all(workers)
  session.destroy()
  return failures
}

describe('applications that restart under load', () => {
  const restarting = (apps: Http2Application[]) => async (): Promise<void> => {
    for (let round = 0; round < 6; round++) {
      const at = round % apps.length
      const { port, finish } = apps[at] as Http2Application
      await finish()
      apps[at] = await startHttp2Application(undefined, {}, port)
      await new Promise((resolve) => void setTimeout(resolve, 100))
    }
  }

  test('no request fails, in clear', async () => {
    const apps = [await startHttp2Application(), await startHttp2Application()]
    const plain = await startPlainDataPath(apps.map(({ port }) => port))
    expect(await failuresDuring(plain.port, restarting(apps))).toEqual([])
    plain.stop()
    for (const app of apps) await app.stop()
  })
})

describe('over mesh mTLS', () => {
  test('HTTP/1 and HTTP/2 reach the same application in the protocol that they came in', async () => {
    const seen = new Set<string>()
    const app = await startHttp2Application((stream, fields) => {
      seen.add(String(fields[':path']))
      stream.respond({ ':status': 200 }, { endStream: true })
    })
    const pair = await startMeshPair(app.port)
    const session = connectHttp2(pair.port)
    expect((await ask(session, { ':path': '/two' })).status).toBe(200)
    const one = await fetch(`http://127.0.0.1:${pair.port}/one`, { headers: { host: 'app.test' } })
    // The application speaks HTTP/2 only, and nobody has said so.
    expect(one.status).toBe(502)
    expect(seen).toEqual(new Set(['/two']))
    session.destroy()
    pair.stop()
    await app.stop()
  })

  test('who the client is says the sidecar, and not the client', async () => {
    let seen: unknown
    const app = await startHttp2Application((stream, fields) => {
      seen = [fields['weft-client-id'], fields['x-forwarded-client-cert']]
      stream.respond({ ':status': 200 }, { endStream: true })
    })
    const pair = await startMeshPair(app.port)
    const session = connectHttp2(pair.port)
    const lie = {
      'weft-client-id': 'spiffe://cluster.local/ns/test/sa/other',
      'x-forwarded-client-cert': 'URI=other',
    }
    expect((await ask(session, lie)).status).toBe(200)
    expect(seen).toEqual([
      'spiffe://cluster.local/ns/test/sa/web',
      expect.stringMatching(/^Hash=[0-9a-f]{64};URI=spiffe:.*\/web$/),
    ])
    session.destroy()
    pair.stop()
    await app.stop()
  })
})
