/** Every row of the response matrix through a real sidecar on real sockets, whole and at every split point. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Application, startApplication } from '../support/application.ts'
import { joinChunks } from '../support/chunks.ts'
import { type PlainDataPath, startPlainDataPath } from '../support/plain-data-path.ts'
import { RawClient, settleSockets, settleUntil, writePieces } from '../support/raw-tcp.ts'
import { responseBodyRows } from './response-body-rows.ts'
import { responseHeadRows } from './response-head-rows.ts'
import { responseFramingRows } from './response-framing-rows.ts'
import { forwarded, type ResponseRow } from './response-row.ts'

const responseRows = [...responseFramingRows, ...responseBodyRows, ...responseHeadRows]

/** Up to here every byte of a reply is tried as the first of a second piece. */
const shortBytes = 1000

let application: Application
let sidecar: PlainDataPath
/** What the application sends next, and whether it closes then. */
let script: { readonly pieces: readonly string[]; readonly ending: ResponseRow['ending'] }
let sent: Promise<void> = Promise.resolve()
let client: RawClient | undefined

const next = 'GET /next HTTP/1.1\r\nHost: app.test\r\n\r\n'
const nextReply = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext'

beforeAll(async () => {
  application = await startApplication(({ head, socket }) => {
    // Nothing stays in the pool, so that every row begins with a connection of its own.
    if (head.startsWith('GET /next ')) socket.write(nextReply.replace('\r\n', '\r\nConnection: close\r\n'))
    else {
      const { pieces, ending } = script
      sent = writePieces(socket, pieces).then(() => {
        if (ending === 'fin') socket.end()
        if (ending === 'reset') socket.resetAndDestroy()
      })
    }
  })
  sidecar = await startPlainDataPath([application.port])
})

afterAll(async () => {
  client?.destroy()
  sidecar.stop()
  await application.stop()
})

/** Whether `text` is the sidecar's own reply, whole, with nothing of the application's in it. */
function isLocalReply(text: string, flag: string): boolean {
  const parts =
    /^HTTP\/1\.1 502 Bad Gateway\r\nContent-Type: text\/plain; charset=utf-8\r\nContent-Length: (\d+)\r\nweft-error: (UPE|UC)\r\n\r\n([^\r\n]+\n)$/.exec(
      text,
    )
  return parts !== null && parts[2] === flag && Number(parts[1]) === parts[3]?.length
}

function isExpected(text: string, { client, failure }: ResponseRow): boolean {
  if (failure === undefined) return joinChunks(text) === client
  return text.startsWith(client) && isLocalReply(text.slice(client.length), failure)
}

function expectAnswer(text: string, row: ResponseRow): void {
  if (row.failure !== undefined) expect(text, row.name).toSatisfy(() => isExpected(text, row))
  else if (row.closed === 'early' || row.closed === 'reset')
    expect(row.client.startsWith(joinChunks(text)), text).toBe(true)
  else expect(joinChunks(text)).toBe(row.client)
}

/** A connection that the row before has left in order, or a new one. */
function clientNow(): RawClient {
  if (client === undefined || client.closed) client = new RawClient(sidecar.port)
  return client
}

async function check(row: ResponseRow, pieces: readonly string[]): Promise<void> {
  script = { pieces, ending: row.ending }
  try {
    const asking = clientNow()
    asking.write(row.request)
    const text = await asking.take((sofar) => row.closed === undefined && isExpected(sofar, row))
    expectAnswer(text, row)
    await sent
    await settleSockets()
    const used = application.connections() - 1
    if (row.pooled !== true) await settleUntil(() => !application.isOpen(used))
    // Looked at in one go: thousands of checks spend more time in expectations than in the sidecar.
    expect({
      clientClosed: asking.closed,
      // The end must not look like one.
      reset: row.closed === 'reset' && asking.reset,
      pending: asking.pending,
      received: application.received[used],
      upstreamOpen: application.isOpen(used),
    }).toEqual({
      clientClosed: row.closed !== undefined,
      reset: row.closed === 'reset',
      pending: '',
      received: forwarded(row.request),
      upstreamOpen: row.pooled === true,
    })
    await expectNext(used, row.pooled === true)
    await settleSockets()
  } catch (error) {
    client?.destroy()
    client = undefined
    throw error
  }
}

/** The next request is served, on the connection `used` or on another. */
async function expectNext(used: number, onSame: boolean): Promise<void> {
  const asking = clientNow()
  asking.write(next)
  const reply = await asking.take((sofar) => sofar === nextReply)
  const isSame = application.requests.at(-1)?.connection === used
  expect({ reply, isSame }).toEqual({ reply: nextReply, isSame: onSame })
}

test('every row of 1 to 15 is there', () => {
  const numbers = responseRows.flatMap(({ name }) => /^1\.2\.([1-9]\d*) /.exec(name)?.[1] ?? [])
  expect(new Set(numbers.map(Number))).toEqual(new Set(Array.from({ length: 15 }, (_, i) => i + 1)))
})

describe('a reply as a whole', () => {
  test.each(responseRows.map((row) => [row.name, row] as const))('%s', (_, row) =>
    check(row, row.upstream === '' ? [] : [row.upstream]),
  )
})

describe('a reply split at every byte', () => {
  const short = responseRows.filter(({ upstream }) => upstream.length > 1 && upstream.length < shortBytes)
  test.each(short.map((row) => [row.name, row] as const))('%s', async (_, row) => {
    for (let at = 1; at < row.upstream.length; at++)
      await check(row, [row.upstream.slice(0, at), row.upstream.slice(at)])
  })
})

describe('a reply byte by byte', () => {
  const short = responseRows.filter(({ upstream }) => upstream.length > 1 && upstream.length < shortBytes)
  test.each(short.map((row) => [row.name, row] as const))('%s', (_, row) =>
    check(row, row.upstream.split('')),
  )
})
