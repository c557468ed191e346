/** What a client reads when no application answered: a status, a flag in `weft-error`, and the code with its sentence. */
import type net from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { invalidBackendCluster } from '../../proxy/cluster/cluster-config.ts'
import { forwardRule, startPlainDataPath } from '../support/plain-data-path.ts'
import { exchangeRaw, startRawServer } from '../support/raw-tcp.ts'

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
