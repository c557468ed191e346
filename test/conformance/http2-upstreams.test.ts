/** What upstreams do wrong over HTTP/2, and what a client is told of it: `S` rows of the reference's list. */
import { afterEach, describe, expect, test } from 'vitest'
import {
  block,
  data,
  flags,
  frame,
  headers,
  RawHttp2,
  request,
  settings,
  settingsAck,
  startRawHttp2,
  types,
  uint32,
} from '../support/http2-frames.ts'
import { type PlainDataPath, setEndpoints, startPlainDataPath } from '../support/plain-data-path.ts'
import { exchangeRaw, settleSockets } from '../support/raw-tcp.ts'
import { code } from './http2-row.ts'

type Upstream = Awaited<ReturnType<typeof startRawHttp2>>
type Replying = (peer: RawHttp2, id: number, asked: number) => void

const stops: (() => void)[] = []

afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

/** Before an upstream that does with each request what `reply` says. */
async function start(
  reply: Replying,
  own: readonly (readonly [number, number])[] = [],
): Promise<{ readonly plain: PlainDataPath; readonly upstream: Upstream }> {
  let asked = 0
  const upstream = await startRawHttp2((peer) => {
    peer.send(settings(...own), settingsAck)
    peer.onFrame = ({ type, id, flags: flag }) => {
      if (type === types.settings && (flag & flags.ack) === 0) return
      if (type === types.headers && (flag & flags.endHeaders) !== 0) reply(peer, id, ++asked)
      if (type === types.ping && (flag & flags.ack) === 0)
        peer.send(frame(types.ping, flags.ack, 0, Buffer.alloc(8)))
    }
  })
  const plain = await startPlainDataPath([])
  setEndpoints(plain.dataPath, 'app', [upstream.port], undefined, { http2: true })
  stops.push(() => plain.stop(), upstream.stop)
  return { plain, upstream }
}

const get = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n'
const post = 'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\nab'
const hasHead = (text: string): boolean => text.includes('\r\n\r\n')
const ok = [[':status', '200']] as const

describe('a reply that breaks the rules is a 502', () => {
  const rows: readonly (readonly [string, Replying])[] = [
    ['29 DATA before a head', (peer, id) => peer.send(data(id, 'x'))],
    [
      '29 DATA behind an interim reply',
      (peer, id) => peer.send(headers(id, [[':status', '103']], false), data(id, 'x')),
    ],
    ['51 an interim reply that ends the stream', (peer, id) => peer.send(headers(id, [[':status', '103']]))],
    ['51 101', (peer, id) => peer.send(headers(id, [[':status', '101']], false))],
    ...[[], [[':status', '20']], [[':status', 'abc']], [[':status', '099']], [...ok, ...ok]].map(
      (fields) =>
        [
          `51 a head of ${JSON.stringify(fields)}`,
          (peer: RawHttp2, id: number) => peer.send(headers(id, fields as [string, string][])),
        ] as const,
    ),
    [
      'a reply with a pseudo-field of requests',
      (peer, id) => peer.send(headers(id, [...ok, [':path', '/']])),
    ],
    ['35 transfer-encoding', (peer, id) => peer.send(headers(id, [...ok, ['transfer-encoding', 'chunked']]))],
    ['36 te', (peer, id) => peer.send(headers(id, [...ok, ['te', 'trailers']]))],
    [
      '45 content-length that is none',
      (peer, id) => peer.send(headers(id, [...ok, ['content-length', '+3']])),
    ],
    [
      '46 content-length and no content',
      (peer, id) => peer.send(headers(id, [...ok, ['content-length', '3']])),
    ],
    ['26 PUSH_PROMISE', (peer, id) => peer.send(frame(types.push, flags.endHeaders, id, uint32(2)))],
    ['27 a stream that nobody opened', (peer) => peer.send(headers(99, ok))],
    ['27 a stream of the upstream', (peer) => peer.send(headers(2, ok))],
    ['25 ENABLE_PUSH', (peer) => peer.send(settings([2, 1]))],
    [
      '99 interim replies without end',
      (peer, id) => peer.send(...Array.from({ length: 50 }, () => headers(id, [[':status', '103']], false))),
    ],
    [
      '100 a header block without end',
      (peer, id) =>
        peer.send(
          frame(types.headers, 0, id, block([':status', '200'])),
          ...Array.from({ length: 50 }, () => frame(types.continuation, 0, id, block(['x-a', 'a']))),
        ),
    ],
    [
      '100 a header that is too large',
      (peer, id) =>
        peer.send(headers(id, [...ok, ...Array.from({ length: 300 }, () => ['x-a', 'a'] as const)])),
    ],
    ['another reset', (peer, id) => peer.send(frame(types.reset, 0, id, uint32(code.internal)))],
  ]

  test.each(rows)('%s', async (_, reply) => {
    const { plain } = await start(reply)
    const { text } = await exchangeRaw(plain.port, [post], (soFar) => soFar.includes(' 502 '))
    expect(text).toMatch(/(?:^|\n)HTTP\/1\.1 502 /)
  })
})

describe('a reply that breaks off is broken off', () => {
  test('30 a second head is no trailers', async () => {
    const { plain, upstream } = await start((peer, id) => {
      peer.send(headers(id, ok, false), data(id, 'part', false), headers(id, [['x-a', 'a']], false))
    })
    const { text, closed } = await exchangeRaw(plain.port, [get])
    expect(text).toContain('part')
    expect(text).not.toContain('0\r\n\r\n')
    expect(closed).toBe(true)
    expect(upstream.peers[0]?.resetCode(1)).toBe(code.protocol)
  })

  test.each([
    ['54 less content than said', [...ok, ['content-length', '9']], 'part'],
    ['54 more content than said', [...ok, ['content-length', '3']], 'part'],
  ] as const)('%s', async (_, fields, content) => {
    const { plain } = await start((peer, id) => {
      peer.send(headers(id, fields, false))
      setImmediate(() => peer.send(data(id, content)))
    })
    const { text, closed } = await exchangeRaw(plain.port, [get], (soFar) => soFar.includes(' 502 '))
    expect(text).toMatch(/^HTTP\/1\.1 (?:200|502)/)
    expect(closed || text.startsWith('HTTP/1.1 502')).toBe(true)
  })
})

describe('a stream that its server closes (RST_STREAM) instead of ending it', () => {
  const rows = [
    ['is whole with all that content-length says, and no error', '5', 'whole', code.none, true],
    ['is broken with less than that', '6', 'whole', code.none, false],
    ['is broken when nobody said how much there is', undefined, 'whole', code.none, false],
    ['is broken with any other code', '5', 'whole', code.internal, false],
  ] as const

  test.each(rows)('%s', async (_, length, content, reason, whole) => {
    const { plain } = await start((peer, id) => {
      const fields = length === undefined ? ok : [...ok, ['content-length', length] as const]
      peer.send(headers(id, fields, false))
      setImmediate(() => peer.send(data(id, content, false), frame(types.reset, 0, id, uint32(reason))))
    })
    const client = await RawHttp2.connect(plain.port)
    stops.push(() => client.destroy())
    client.send(
      headers(1, [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'app.test'],
      ]),
    )
    await client.until(() => client.ended(1) || client.resetCode(1) !== undefined)
    expect(client.ended(1)).toBe(whole)
    expect(client.resetCode(1)).toBe(whole ? undefined : code.internal)
    if (whole) expect(client.content(1)).toBe(content)
  })
})

describe('what the upstream has not looked at is sent again', () => {
  test('107 streams above the last of a GOAWAY', async () => {
    const { plain, upstream } = await start((peer, id, asked) => {
      if (asked === 1) peer.send(frame(types.goaway, 0, 0, uint32(0, code.none)))
      else peer.send(headers(id, ok, false), data(id, 'second'))
    })
    const { text } = await exchangeRaw(plain.port, [post], (soFar) => soFar.includes('second'))
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    expect(upstream.peers.length).toBe(2)
  })

  test('109 REFUSED_STREAM', async () => {
    const { plain } = await start((peer, id, asked) => {
      if (asked < 3) peer.send(frame(types.reset, 0, id, uint32(code.refused)))
      else peer.send(headers(id, ok, false), data(id, 'third'))
    })
    const { text } = await exchangeRaw(plain.port, [post], (soFar) => soFar.includes('third'))
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('109 but not for ever', async () => {
    const { plain } = await start((peer, id) => peer.send(frame(types.reset, 0, id, uint32(code.refused))))
    const { text } = await exchangeRaw(plain.port, [post], hasHead)
    expect(text).toMatch(/^HTTP\/1\.1 503 /)
  })
})

test('112 requests wait for their turn where one stream is allowed', async () => {
  let most = 0
  let open = 0
  const { plain } = await start(
    (peer, id) => {
      open++
      most = Math.max(most, open / new Set([peer]).size)
      setImmediate(() => {
        open--
        peer.send(headers(id, ok, false), data(id, 'done'))
      })
    },
    [[3, 1]],
  )
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => exchangeRaw(plain.port, [get], (text) => text.includes('done'))),
  )
  expect(answers.map(({ text }) => text.slice(0, 12))).toEqual(answers.map(() => 'HTTP/1.1 200'))
})

test('112 where no stream is allowed any more none is opened, and no request fails', async () => {
  const { plain, upstream } = await start(
    (peer, id, asked) => {
      // With the first reply, while the others are on their way.
      if (asked === 1) peer.send(settings([3, 0]))
      peer.send(headers(id, ok, false), data(id, 'done'))
    },
    [[3, 1]],
  )
  const ask = () => exchangeRaw(plain.port, [get], (text) => text.includes('done'))
  expect((await ask()).text).toMatch(/^HTTP\/1\.1 200 /)
  const peer = upstream.peers[0] as RawHttp2
  const waiting = Promise.all([ask(), ask(), ask()])
  await settleSockets()
  const seen = peer.heads.size
  peer.send(settings([3, 2]))
  expect((await waiting).map(({ text }) => text.slice(0, 12))).toEqual(Array(3).fill('HTTP/1.1 200'))
  expect(seen).toBe(1)
})

test('52 interim replies are passed on, the head and its length stay', async () => {
  const { plain } = await start((peer, id) =>
    peer.send(
      headers(
        id,
        [
          [':status', '103'],
          ['link', '</a>'],
        ],
        false,
      ),
      headers(id, [...ok, ['content-length', '2']], false),
      data(id, 'ok'),
    ),
  )
  const { text } = await exchangeRaw(plain.port, [get], (soFar) => soFar.endsWith('ok'))
  expect(text).toBe(
    'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
  )
})

test('39 a scheme in capitals goes on in small letters', async () => {
  const { plain, upstream } = await start((peer, id) => peer.send(headers(id, ok)))
  const client = await RawHttp2.connect(plain.port)
  stops.push(() => client.destroy())
  const shouted = request().map(([name, value]) => [name, name === ':scheme' ? 'HTTPS' : value] as const)
  client.send(headers(1, shouted), headers(3, [...shouted, ['host', 'app.test:443']]))
  await client.until(() => client.ended(1) && client.ended(3))
  expect([1, 3].map((id) => upstream.peers[0]?.heads.get(id)?.[0]?.[':scheme'])).toEqual(['https', 'https'])
})

test('53 HEAD has a length and no content', async () => {
  const { plain } = await start((peer, id) => peer.send(headers(id, [...ok, ['content-length', '10']])))
  const { text } = await exchangeRaw(plain.port, ['HEAD / HTTP/1.1\r\nHost: app.test\r\n\r\n'], hasHead)
  expect(text).toBe('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n')
})

test('77 a window of nothing holds content back until it is opened', async () => {
  const { plain, upstream } = await start(
    (peer, id) => setImmediate(() => peer.send(frame(types.window, 0, id, uint32(1)))),
    [[4, 0]],
  )
  const answer = exchangeRaw(plain.port, [post], hasHead)
  const peer = (): RawHttp2 => upstream.peers[0] as RawHttp2
  while (upstream.peers.length === 0) await new Promise((resolve) => void setTimeout(resolve, 5))
  await peer().until(() => peer().content(1) === 'a')
  expect(peer().ended(1)).toBe(false)
  peer().send(frame(types.window, 0, 1, uint32(1)))
  await peer().until(() => peer().ended(1))
  expect(peer().content(1)).toBe('ab')
  peer().send(headers(1, ok, false), data(1, 'ok'))
  expect((await answer).text).toMatch(/^HTTP\/1\.1 200 /)
})
