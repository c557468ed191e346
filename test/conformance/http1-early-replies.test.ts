/** Replies that come before the whole request, asked for (Expect: 100-continue) or not. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Application, type ReceivedRequest, startApplication } from '../support/application.ts'
import { type PlainDataPath, startPlainDataPath } from '../support/plain-data-path.ts'
import { RawClient, settleSockets, settleUntil } from '../support/raw-tcp.ts'

const reply = (status: string, content: string, fields = ''): string =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${content.length}\r\n${fields}\r\n${content}`
const closing = (status: string, content: string): string => reply(status, content, 'Connection: close\r\n')
const head = (fields: string, method = 'POST', version = '1.1'): string =>
  `${method} / HTTP/${version}\r\nHost: app.test\r\n${fields}\r\n`
const expecting = head('Content-Length: 3\r\nExpect: 100-continue\r\n')
const goOn = 'HTTP/1.1 100 Continue\r\n\r\n'
const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'
const next = 'GET /next HTTP/1.1\r\nHost: app.test\r\n\r\n'

let application: Application
let sidecar: PlainDataPath
let client: RawClient
let heads: ReceivedRequest[]
let onHead: (request: ReceivedRequest) => void

beforeEach(async () => {
  heads = []
  onHead = () => undefined
  application = await startApplication(
    ({ socket }) => socket.write(reply('200 OK', 'done')),
    (request) => {
      heads.push(request)
      onHead(request)
    },
  )
  sidecar = await startPlainDataPath([application.port])
  client = new RawClient(sidecar.port)
})

afterEach(async () => {
  client.destroy()
  sidecar.stop()
  await application.stop()
})

async function headsArrived(count = 1): Promise<ReceivedRequest> {
  while (heads.length < count) await settleSockets()
  return heads[count - 1] as ReceivedRequest
}

/** The next request of another client is served on a new connection to the application. */
async function expectUpstreamGivenUp(): Promise<void> {
  await settleUntil(() => !application.isOpen(0))
  expect(application.isOpen(0)).toBe(false)
  const other = new RawClient(sidecar.port)
  other.write(next)
  expect(await other.take((text) => text.endsWith('done'))).toBe(reply('200 OK', 'done'))
  expect(application.requests.at(-1)?.connection).toBe(1)
  other.destroy()
}

describe('a final reply in the middle of an upload ends it', () => {
  const part = 'x'.repeat(1024 * 1024)
  const sized = head(`Content-Length: ${16 * part.length}\r\n`) + part
  const chunked = `${head('Transfer-Encoding: chunked\r\n')}${part.length.toString(16)}\r\n${part}\r\n`
  const large = 'y'.repeat(512 * 1024)
  const rows: readonly (readonly [string, string, string, string])[] = [
    ['413', sized, reply('413 Too Large', 'no'), closing('413 Too Large', 'no')],
    ['413 of a chunked upload', chunked, reply('413 Too Large', 'no'), closing('413 Too Large', 'no')],
    ['200', sized, reply('200 OK', 'enough'), closing('200 OK', 'enough')],
    ['302', sized, reply('302 Found', ''), closing('302 Found', '')],
    ['204', sized, 'HTTP/1.1 204 No\r\n\r\n', 'HTTP/1.1 204 No\r\nConnection: close\r\n\r\n'],
    ['large 413', sized, reply('413 Too Large', large), closing('413 Too Large', large)],
    ['large 200', sized, reply('200 OK', large), reply('200 OK', large)],
  ]
  test.each(
    rows.flatMap(([name, ...row]) => [
      [name, ...row, 'open'] as const,
      [`${name}, then its FIN`, ...row, 'closing'] as const,
    ]),
  )('%s', async (_, request, text, expected, ending) => {
    onHead = ({ head: received, socket }) => {
      if (!received.startsWith('POST')) return
      if (ending === 'open') socket.write(text)
      else socket.end(text)
    }
    client.write(request)
    expect(await client.take()).toBe(expected)
    onHead = () => undefined
    await expectUpstreamGivenUp()
    expect(application.requests, 'the upload never looked complete').toHaveLength(1)
  })
})

describe('Expect: 100-continue', () => {
  test('goes on to the application, and its 100 comes back', async () => {
    client.write(expecting)
    const { head: received, socket } = await headsArrived()
    expect(received).toBe(
      'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n',
    )
    await settleSockets()
    expect(client.pending, 'nobody but the application may say so').toBe('')
    socket.write(goOn)
    expect(await client.take((text) => text.endsWith('\r\n\r\n'))).toBe(goOn)
    client.write('abc')
    expect(await client.take((text) => text.endsWith('done'))).toBe(reply('200 OK', 'done'))
    client.write(next)
    expect(await client.take((text) => text.endsWith('done'))).toBe(reply('200 OK', 'done'))
    expect(application.connections()).toBe(1)
  })

  test.each(['401 Unauthorized', '302 Found', '200 OK', '503 Unavailable'])(
    'a final %s first closes both connections, for nobody knows whether the body comes',
    async (status) => {
      client.write(expecting)
      const { socket } = await headsArrived()
      socket.write(reply(status, 'no'))
      expect(await client.take()).toBe(closing(status, 'no'))
      await expectUpstreamGivenUp()
    },
  )

  test('a body that follows a final reply is not taken for a request', async () => {
    client.write(expecting)
    const { socket } = await headsArrived()
    socket.write(reply('401 Unauthorized', 'no'))
    await client.take((text) => text.endsWith('no'))
    client.write(next)
    expect(await client.take()).toBe('')
    expect(heads).toHaveLength(1)
  })

  test('the reply of a sidecar that sends it nowhere comes first, too', async () => {
    client.write(expecting.replace('app.test', 'unknown.test'))
    expect(await client.take()).toMatch(/^HTTP\/1\.1 502 .*\r\nConnection: close\r\n\r\n/s)
  })

  test('103, 100 and the final reply come in their order', async () => {
    client.write(expecting)
    const { socket } = await headsArrived()
    socket.write(hints + goOn + hints)
    expect(await client.take((text) => text.length >= hints.length * 2 + goOn.length)).toBe(
      hints + goOn + hints,
    )
    client.write('abc')
    expect(await client.take((text) => text.endsWith('done'))).toBe(reply('200 OK', 'done'))
  })

  test('100 is passed on once', async () => {
    client.write(expecting)
    const { socket } = await headsArrived()
    socket.write(goOn + goOn)
    await settleSockets()
    expect(await client.take((text) => text.endsWith('\r\n\r\n'))).toBe(goOn)
    client.write('abc')
    expect(await client.take((text) => text.endsWith('done'))).toBe(reply('200 OK', 'done'))
  })

  test('an application that does not know it gets the body of a client that waits no longer', async () => {
    client.write(expecting)
    await headsArrived()
    client.write('abc')
    expect(await client.take((text) => text.endsWith('done'))).toBe(reply('200 OK', 'done'))
    client.write(next)
    expect(await client.take((text) => text.endsWith('done'))).toBe(reply('200 OK', 'done'))
    expect(application.connections()).toBe(1)
  })

  test('a request after one that was never told to go on owes nothing', async () => {
    client.write(expecting)
    await headsArrived()
    client.write('abc')
    await client.take((text) => text.endsWith('done'))
    onHead = ({ socket }) => socket.write(goOn)
    client.write(head('Content-Length: 3\r\n') + 'abc')
    expect(await client.take((text) => text.endsWith('done'))).toBe(reply('200 OK', 'done'))
  })

  test.each([
    ['with its body', `${expecting}abc`],
    ['without a body', head('Expect: 100-continue\r\n', 'GET')],
    ['from HTTP/1.0', `${head('Content-Length: 3\r\nExpect: 100-continue\r\n', 'POST', '1.0')}abc`],
  ])('%s is nothing to wait for', async (_, request) => {
    onHead = ({ socket }) => socket.write(goOn)
    client.write(request)
    const text = await client.take((sofar) => sofar.endsWith('done'))
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    expect(heads[0]?.head).not.toMatch(/expect/i)
  })

  test('is sent again with a request whose idle connection died', async () => {
    client.write(next)
    await client.take((text) => text.endsWith('done'))
    onHead = ({ nth, socket }) => (nth > 1 ? socket.resetAndDestroy() : socket.write(goOn))
    client.write(head('Content-Length: 3\r\nExpect: 100-continue\r\n', 'PUT'))
    expect(await client.take((text) => text.endsWith('\r\n\r\n'))).toBe(goOn)
    client.write('abc')
    expect(await client.take((text) => text.endsWith('done'))).toBe(reply('200 OK', 'done'))
    expect(heads.map(({ connection }) => connection)).toEqual([0, 0, 1])
  })
})

test('TE: trailers is asked for by this hop, and nothing else of TE', async () => {
  client.write(`GET / HTTP/1.1\r\nHost: app.test\r\nConnection: TE\r\nTE: gzip, trailers\r\n\r\n`)
  await client.take((text) => text.endsWith('done'))
  client.write(`GET / HTTP/1.1\r\nHost: app.test\r\nConnection: TE\r\nTE: gzip\r\n\r\n`)
  await client.take((text) => text.endsWith('done'))
  expect(heads.map((request) => request.head)).toEqual([
    'GET / HTTP/1.1\r\nHost: app.test\r\nConnection: TE\r\nTE: trailers\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n',
  ])
})
