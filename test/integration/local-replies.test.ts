/** What a client reads when no application answered: a status, a flag in `weft-error`, and the code with its sentence. */
import type net from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { invalidBackendCluster } from '../../proxy/cluster/cluster-config.ts'
import { forwardRule, setAppEndpoints, startPlainDataPath } from '../support/plain-data-path.ts'
import { exchangeRaw, RawClient, startRawServer } from '../support/raw-tcp.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

/** The answer to one GET; the application does `act` with its connection. */
async function answer(
  act: ((socket: net.Socket) => void) | 'is gone' | 'has no endpoint',
  rule = forwardRule({ cluster: 'app', weight: 1 }),
  host = 'app.test:80',
): Promise<string> {
  const app = await startRawServer((_text, socket) => typeof act === 'function' && act(socket))
  if (act === 'is gone') await app.stop()
  else cleanups.push(app.stop)
  const { port, stop } = await startPlainDataPath(act === 'has no endpoint' ? [] : [app.port], {}, rule)
  cleanups.push(stop)
  const { text } = await exchangeRaw(port, [`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`])
  return text
}

const cases: readonly (readonly [string, number, string, string, () => Promise<string>])[] = [
  ['refuses connections', 503, 'UF', 'UPSTREAM_CONNECT_FAILED', () => answer('is gone')],
  ['has no endpoint', 503, 'UH', 'NO_ENDPOINTS', () => answer('has no endpoint')],
  ['closes without a reply', 502, 'UC', 'UPSTREAM_RESET', () => answer((socket) => socket.destroy())],
  ['sends no HTTP', 502, 'UPE', 'UPSTREAM_MALFORMED', () => answer((socket) => socket.end('hello\r\n\r\n'))],
  [
    'is slower than the timeout of the route',
    504,
    'UT',
    'UPSTREAM_TIMEOUT',
    () => answer(() => undefined, { ...forwardRule({ cluster: 'app', weight: 1 }), timeoutMs: 20 }),
  ],
  [
    'is a backend that does not exist',
    500,
    'NC',
    'BACKEND_INVALID',
    () => answer(() => undefined, forwardRule({ cluster: invalidBackendCluster, weight: 1 })),
  ],
  [
    'is not in the mesh',
    502,
    'NC',
    'DESTINATION_UNKNOWN',
    () => answer(() => undefined, undefined, 'elsewhere.test:80'),
  ],
]

test.each(cases)('a destination that %s is answered %i %s %s', async (_name, status, flag, code, ask) => {
  const text = await ask()
  expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(text).toMatch(new RegExp(`^weft-error: ${flag}\r$`, 'm'))
  expect(text).toMatch(new RegExp(`^${code}: `, 'm'))
})

describe('what was wrong is counted once, by its flag', () => {
  const countsAfter = async (bytes: string, act: (socket: net.Socket) => void, cut = false) => {
    const app = await startRawServer((_text, socket) => act(socket))
    cleanups.push(app.stop)
    const { dataPath, port, stop } = await startPlainDataPath([app.port])
    cleanups.push(stop)
    const client = new RawClient(port)
    client.write(bytes)
    await expect.poll(() => app.received.length + dataPath.serveStats.outbound.flags.size).toBeGreaterThan(0)
    if (cut) client.socket.resetAndDestroy()
    await expect.poll(() => dataPath.serveStats.outbound.flags.size).toBe(1)
    client.socket.destroy()
    return Object.fromEntries(dataPath.serveStats.outbound.flags)
  }
  const get = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n'
  const post = 'POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n'
  test.each([
    ['a broken connection', get, (socket: net.Socket) => socket.destroy(), { UC: 1 }],
    ['a malformed head', 'GET\r\n\r\n', () => undefined, { DPE: 1 }],
    ['a malformed body', `${post}zz\r\n`, () => undefined, { DPE: 1 }],
  ])('%s', async (_what, bytes, act, counts) => {
    expect(await countsAfter(bytes, act)).toEqual(counts)
  })
  test('a client that went away', async () => {
    expect(await countsAfter(get, () => undefined, true)).toEqual({ DC: 1 })
  })
})

test.each([
  ['is no HTTP', 400, 'DPE', 'REQUEST_MALFORMED', 'GET /\r\n\r\n'],
  [
    'has too large a head',
    431,
    'DPE',
    'REQUEST_HEADERS_TOO_LARGE',
    `GET / HTTP/1.1\r\nA: ${'x'.repeat(70_000)}`,
  ],
  ['is of another version', 505, 'DPE', 'REQUEST_UNSUPPORTED', 'GET / HTTP/3.0\r\nHost: app.test\r\n\r\n'],
])('a request that %s is answered %i %s %s', async (_name, status, flag, code, request) => {
  const { port, stop } = await startPlainDataPath([])
  cleanups.push(stop)
  const { text } = await exchangeRaw(port, [request])
  expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(text).toMatch(new RegExp(`^weft-error: ${flag}\r$`, 'm'))
  expect(text).toMatch(new RegExp(`^${code}: `, 'm'))
})

test('an endpoint that is the sidecar itself is a loop, and is not sent to', async () => {
  const { dataPath, port, stop } = await startPlainDataPath([1])
  cleanups.push(stop)
  setAppEndpoints(dataPath, [port])
  const { text } = await exchangeRaw(port, [
    'GET / HTTP/1.1\r\nHost: app.test:80\r\nConnection: close\r\n\r\n',
  ])
  expect(text).toMatch(/^HTTP\/1\.1 508 .*\r\nweft-error: LH\r\n.*LOOP_DETECTED: /s)
  expect(dataPath.serveStats.outbound.opened).toBe(1)
})
