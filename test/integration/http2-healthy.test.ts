/** Clients that behave, beside others that do not, on the same connections to the application: none of their requests fails. */
import type http2 from 'node:http2'
import { expect, test } from 'vitest'
import { startHttp2Application } from '../support/http2-application.ts'
import { ask, connectHttp2 } from '../support/http2-client.ts'
import { frame, headers, RawHttp2, request, types, uint32 } from '../support/http2-frames.ts'
import { startPlainDataPath } from '../support/plain-data-path.ts'

/** 200,000 by hand: WEFT_HEALTHY_REQUESTS=200000. */
const wanted = Number(process.env['WEFT_HEALTHY_REQUESTS'] ?? 3000)
const clients = 4
const inFlight = 8

/** Sends requests one after another on `session` until `take` says there are no more. Returns how many failed. */
async function keepAsking(session: http2.ClientHttp2Session, take: () => boolean): Promise<string[]> {
  const failures: string[] = []
  while (take()) {
    try {
      const { status, content } = await ask(session, { ':method': 'POST' }, 'hello')
      if (status !== 200 || content.toString() !== 'hello') failures.push(`${status} ${content.toString()}`)
    } catch (error) {
      failures.push(String(error))
    }
  }
  return failures
}

const slow = (i: number, endStream: boolean): Buffer =>
  headers(2 * i + 1, request('POST', '/slow'), endStream)
const all = (make: (i: number) => Buffer): Buffer[] => Array.from({ length: 150 }, (_, i) => make(i))

/** What one connection of a client does that nobody wants. */
type Misdeed = (peer: RawHttp2) => Promise<void> | void

const misdeeds: readonly Misdeed[] = [
  // Leaves with more requests than the application serves at once.
  (peer) => peer.send(...all((i) => slow(i, true))),
  // Calls all of them off.
  async (peer) => {
    peer.send(...all((i) => slow(i, true)))
    await peer.settle()
    peer.send(...all((i) => frame(types.reset, 0, 2 * i + 1, uint32(8))))
    await peer.settle()
  },
  // Sends trailers.
  async (peer) => {
    peer.send(headers(1, request('POST'), false), headers(1, [['x-end', 'a']]))
    await peer.until(() => peer.ended(1))
  },
  // Floods.
  (peer) => peer.send(...Array.from({ length: 2000 }, () => frame(types.ping, 0, 0, Buffer.alloc(8)))),
]

/** Leaves with replies that it has begun to read; Node ends a connection on which more than 1000 streams are reset at once. */
const leaveReplies: Misdeed = async (peer) => {
  peer.send(...Array.from({ length: 250 }, (_, i) => headers(2 * i + 1, request('POST', '/endless'))))
  await peer.until(() => peer.heads.size === 250)
}

test.each([
  ['leave, cancel, flood or send trailers', { maxConcurrentStreams: 50 }, misdeeds],
  ['leave with replies that have begun', {}, [leaveReplies]],
] as const)(
  'no request of a healthy client fails beside clients that %s',
  async (_, settings, misdeeds) => {
    const app = await startHttp2Application((stream, fields) => {
      const reply = (endStream: boolean): void => {
        if (!stream.destroyed) stream.respond({ ':status': 200 }, { endStream })
      }
      if (fields[':path'] === '/endless') {
        reply(false)
        stream.write('more')
      } else if (fields[':path'] === '/slow') {
        setTimeout(() => reply(true), 20)
      } else {
        // So that there is always something under way.
        setTimeout(() => {
          reply(false)
          if (!stream.destroyed) stream.pipe(stream)
        }, 5)
      }
    }, settings)
    const plain = await startPlainDataPath([app.port])
    let left = wanted
    const take = (): boolean => left-- > 0
    let done = false
    const sessions = Array.from({ length: clients }, () => connectHttp2(plain.port))
    const healthy = Promise.all(
      sessions.flatMap((session) => Array.from({ length: inFlight }, () => keepAsking(session, take))),
    )
    const abuse = (async () => {
      for (let i = 0; !done; i++) {
        const peer = await RawHttp2.connect(plain.port)
        await misdeeds[i % misdeeds.length]?.(peer)
        peer.destroy()
      }
    })()
    const failures = (await healthy).flat()
    done = true
    await abuse
    for (const session of sessions) session.destroy()
    plain.stop()
    await app.stop()
    expect(failures).toEqual([])
  },
  600_000,
)
