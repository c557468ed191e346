import http from 'node:http'
import net from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLog } from '../../core/log.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { OutageLog } from '../../core/outage-log.ts'
import { CollectorReporter, maxHeldSpans } from './collector-reporter.ts'
import { otlpFormat } from './otlp-format.ts'
import type { SpanFormat, SpanRecord } from './span.ts'
import { zipkinFormat } from './zipkin-format.ts'

type Posted = { readonly url: string; readonly type: string; readonly ids: readonly string[] }

let clock: ManualClock
let lines: string[]
let posted: Posted[]
let status: number
let server: http.Server
let port: number
let reporter: CollectorReporter
let outages: OutageLog
/** What the collector says besides. */
let answer: string

async function listen(onPort = 0): Promise<void> {
  server = http.createServer((request, response) => {
    let body = ''
    request.on('data', (piece: Buffer) => {
      body += piece.toString()
    })
    request.on('end', () => {
      const ids = [...body.matchAll(/"(?:id|spanId)":"(\w+)"/g)].map(([, id]) => id as string)
      posted.push({ url: request.url ?? '', type: request.headers['content-type'] ?? '', ids })
      response.writeHead(status).end(answer)
    })
  })
  await new Promise<void>((resolve) => server.listen(onPort, '127.0.0.1', resolve))
  port = (server.address() as net.AddressInfo).port
}

function goAway(): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

beforeEach(async () => {
  clock = new ManualClock()
  lines = []
  posted = []
  status = 202
  await listen()
  const destination = { write: (line: string) => void lines.push(line) }
  outages = new OutageLog(createLog({ process: 'test', level: 'info', destination }))
  answer = ''
  reporter = reporting(zipkinFormat('web.shop'))
})
function reporting(format: SpanFormat): CollectorReporter {
  return new CollectorReporter({
    url: `http://127.0.0.1:${port}`,
    format,
    clock,
    outages,
    random: () => 0.99,
  })
}

afterEach(async () => {
  await reporter.close()
  await goAway()
})

let nextId = 0
const span = (): SpanRecord => ({
  traceId: 'a'.repeat(32),
  spanId: String(++nextId).padStart(16, '0'),
  parentSpanId: undefined,
  debug: false,
  kind: 'client',
  name: 'GET x',
  startWallMs: 1,
  durationMs: 1,
  error: undefined,
  remoteAddress: '',
  remoteService: '',
  events: [],
  attributes: [],
})
function report(count: number): void {
  for (let i = 0; i < count; i++) reporter.report(span())
}
const counts = () => ({ sent: reporter.sent, lost: reporter.lost, held: reporter.held })
const settled = (expected: ReturnType<typeof counts>) => expect.poll(counts).toEqual(expected)

describe('spans', () => {
  it('go out together once a second, as JSON, to the path of the API', async () => {
    report(3)
    expect(posted).toEqual([])
    clock.advance(1_000)
    await settled({ sent: 3, lost: 0, held: 0 })
    expect(posted).toEqual([{ url: '/api/v2/spans', type: 'application/json', ids: expect.any(Array) }])
    expect(new Set(posted[0]?.ids).size).toBe(3)
    report(1)
    clock.advance(1_000)
    await settled({ sent: 4, lost: 0, held: 0 })
  })

  it('go out in batches of bounded size, each once', async () => {
    report(1_200)
    await settled({ sent: 1_024, lost: 0, held: 176 })
    clock.advance(1_000)
    await settled({ sent: 1_200, lost: 0, held: 0 })
    expect(posted.map(({ ids }) => ids.length)).toEqual([512, 512, 176])
    expect(new Set(posted.flatMap(({ ids }) => ids)).size).toBe(1_200)
  })

  it('do not wait when there are enough for a batch', async () => {
    report(513)
    await settled({ sent: 512, lost: 0, held: 1 })
    expect(posted.map(({ ids }) => ids.length)).toEqual([512])
  })

  it('that the collector did not want, by its own account, are lost', async () => {
    await reporter.close()
    reporter = reporting(otlpFormat({ service: 'web.shop', namespace: 'shop', pod: 'web-1', version: '1' }))
    answer = '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"no"}}'
    report(5)
    clock.advance(1_000)
    await settled({ sent: 3, lost: 2, held: 0 })
    expect(posted[0]).toMatchObject({ url: '/v1/traces', type: 'application/json' })
  })

  it('that come while others are sent are not forgotten', async () => {
    report(1)
    clock.advance(1_000)
    report(1)
    await settled({ sent: 1, lost: 0, held: 1 })
    await expect.poll(() => clock.pending).toBe(1)
    clock.advance(1_000)
    await settled({ sent: 2, lost: 0, held: 0 })
  })
})

describe('a collector that is away', () => {
  it('loses nothing that there is room for, and what is beyond is counted', async () => {
    await goAway()
    report(maxHeldSpans + 7)
    clock.advance(1_000)
    await expect.poll(() => lines.length).toBe(1)
    expect(counts()).toEqual({ sent: 0, lost: 7, held: maxHeldSpans })
    expect(JSON.parse(lines[0] as string)).toMatchObject({ level: 'warn', code: 'TRACES_UNDELIVERED' })
    await listen(port)
    await expect.poll(() => clock.pending).toBe(1)
    clock.advance(1_000)
    await settled({ sent: maxHeldSpans, lost: 7, held: 0 })
  })

  it('is said once, and left alone for longer each time', async () => {
    await goAway()
    let attempts = 0
    const refusing = net.createServer((socket) => {
      attempts++
      socket.destroy()
    })
    await new Promise<void>((resolve) => refusing.listen(port, '127.0.0.1', resolve))
    report(1)
    let total = 0
    for (const waitMs of [1_000, 990, 1_980, 3_960]) {
      clock.advance(waitMs - 1)
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(attempts).toBe(total)
      clock.advance(1)
      await expect.poll(() => attempts).toBe(++total)
      await expect.poll(() => clock.pending).toBe(1)
      report(1)
    }
    expect(lines).toHaveLength(1)
    await new Promise((resolve) => refusing.close(resolve))
    await listen(port)
  })

  it.each([
    [500, 'held', { sent: 0, lost: 0, held: 2 }],
    [429, 'held', { sent: 0, lost: 0, held: 2 }],
    [400, 'lost', { sent: 0, lost: 2, held: 0 }],
    [404, 'lost', { sent: 0, lost: 2, held: 0 }],
  ])('by answering %i: spans are %s, and that is told', async (answer, _what, expected) => {
    status = answer
    report(2)
    clock.advance(1_000)
    await expect.poll(() => lines.join()).toContain(`status ${answer}`)
    expect(counts()).toEqual(expected)
  })

  it('by never answering: it is given up, without a connection left behind', async () => {
    await goAway()
    const open = new Set<net.Socket>()
    const silent = net.createServer((socket) => {
      open.add(socket)
      socket.resume()
      socket.on('error', () => undefined)
      socket.on('close', () => open.delete(socket))
    })
    await new Promise<void>((resolve) => silent.listen(port, '127.0.0.1', resolve))
    report(1)
    clock.advance(1_000)
    await expect.poll(() => open.size).toBe(1)
    clock.advance(5_000)
    await expect.poll(() => open.size).toBe(0)
    await expect.poll(() => lines.join()).toContain('no answer within 5000 ms')
    expect(counts()).toEqual({ sent: 0, lost: 0, held: 1 })
    await new Promise((resolve) => silent.close(resolve))
    await listen(port)
  })
})

describe('at the end', () => {
  it('what is held is sent at once, and what comes later is lost', async () => {
    report(600)
    await reporter.close()
    report(1)
    expect(counts()).toEqual({ sent: 600, lost: 1, held: 0 })
  })

  it('a collector that is away holds nobody up', async () => {
    await goAway()
    report(3)
    await reporter.close()
    expect(counts()).toEqual({ sent: 0, lost: 3, held: 0 })
    await listen(port)
  })
})
