import { beforeEach, describe, expect, test } from 'vitest'
import { Body } from '../body.ts'
import { type Exchange, Reply } from '../exchange.ts'
import { HeaderList } from '../header-list.ts'
import { testExchange } from '../test-exchange.ts'
import { AccessLog, type AccessLogOptions } from './access-log.ts'
import type { TcpRecord } from './access-records.ts'

const principal = 'spiffe://cluster.local/ns/shop/sa/web'
const connection: TcpRecord = {
  direction: 'inbound',
  peer: '10.0.0.7',
  principal,
  destination: '127.0.0.1:6379',
  cluster: 'inbound:6379',
  upstream: '127.0.0.1:6379',
  receivedBytes: 14,
  sentBytes: 7,
  durationMs: 1.5,
  flag: '',
}
const refusal = {
  direction: 'inbound',
  peer: '10.0.0.7',
  status: 400,
  flag: 'DPE',
  code: 'REQUEST_MALFORMED',
  reason: 'no "Host"',
} as const

let lines: string[]
let switches: AccessLogOptions['switches']
let log: AccessLog

beforeEach(() => {
  lines = []
  switches = { format: 'json', filter: 'all' }
  log = new AccessLog({
    switches,
    lines: { write: (line) => void lines.push(line) },
    nowMs: () => 25,
    wallMs: () => Date.UTC(2026, 0, 2, 3, 4, 5),
  })
})

const parsed = (): readonly object[] => lines.map((line) => JSON.parse(line) as object)

/** One exchange from its beginning to its end. */
function served(status: number | undefined, more: Partial<Exchange> = {}): void {
  const x = testExchange({
    target: '/orders?a=1',
    headers: { 'User-Agent': 'curl "8"', Referer: 'http://shop/' },
    principal,
  })
  log.watch(x)
  Object.assign(x, { attempts: 1, clusterName: 'catalog', routeName: 'r', upstreamAddress: '10.0.0.8:80' })
  const times = x.timeline?.begin('catalog', '10.0.0.8:80', undefined, 5)
  if (times !== undefined) Object.assign(times, { sentMs: 5, repliedMs: 20 })
  Object.assign(x, more)
  const reply = status === undefined ? undefined : new Reply(status, '', new HeaderList(), Body.empty)
  x.done(reply, 42)
}

describe('in JSON', () => {
  test('a line has all that is known of the exchange', () => {
    const trace = {
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      parentSpanId: undefined,
      sampled: true,
      debug: false,
    }
    const more = { attempts: 3, retryReason: '5xx', retryStop: 'limit', flag: 'URX' } as const
    served(503, { trace, upstreamPrincipal: 'spiffe://x', ...more })
    expect(parsed()).toEqual([
      {
        level: 'info',
        time: '2026-01-02T03:04:05.000Z',
        process: 'proxy',
        msg: 'access',
        direction: 'outbound',
        method: 'GET',
        authority: 'catalog:8080',
        path: '/orders?a=1',
        status: 503,
        flag: 'URX',
        route: 'r',
        cluster: 'catalog',
        upstream: '10.0.0.8:80',
        upstreamPrincipal: 'spiffe://x',
        attempts: 3,
        retries: 2,
        retryReason: '5xx',
        retryStop: 'limit',
        peer: '127.0.0.1',
        peerPort: 1,
        tls: false,
        principal,
        traceId: trace.traceId,
        spanId: trace.spanId,
        sampled: true,
        userAgent: 'curl "8"',
        requestBytes: 0,
        responseBytes: 42,
        queueMs: 5,
        connectMs: 0,
        tlsMs: 0,
        waitMs: 15,
        streamMs: 5,
        durationMs: 25,
      },
    ])
  })

  test('so has one of a connection, and one of a request that could not be read', () => {
    log.connection(connection)
    log.refused(refusal)
    expect(parsed()).toMatchObject([{ msg: 'access', protocol: 'tcp', ...connection }, refusal])
  })

  test('a client cannot make a second line, or fields of its own', () => {
    const x = testExchange({ target: '/"}\u0000', headers: { 'User-Agent': '\\"\u00e9' } })
    log.watch(x)
    x.done(undefined, 0)
    expect(lines.join()).not.toContain('\n')
    expect(parsed()).toMatchObject([{ path: '/"}\u0000', userAgent: '\\"\u00e9', status: 0 }])
  })
})

describe("in Apache's combined form", () => {
  const time = '02/Jan/2026:03:04:05 +0000'

  test('a line is what readers of that form expect, whatever a client wrote', () => {
    switches.format = 'apache'
    served(200)
    expect(lines).toEqual([
      `127.0.0.1 - ${principal} [${time}] "GET /orders?a=1 HTTP/1.1" 200 42 "http://shop/" "curl \\"8\\""`,
    ])
  })

  test('the rule of access stands behind it, and the one that audits behind that, where there are any', () => {
    switches.format = 'apache'
    const rule = 'accesspolicy/shop/catalog/readers'
    served(200, { accessRule: rule })
    served(200, { accessRule: rule, auditRule: 'accesspolicy/shop/trial/old' })
    log.connection({ ...connection, rule: 'accesspolicy/shop/a/mtls', flag: 'UAEX' })
    expect(lines.map((line) => line.slice(line.indexOf('] ')))).toEqual([
      `] "GET /orders?a=1 HTTP/1.1" 200 42 "http://shop/" "curl \\"8\\"" "${rule}"`,
      `] "GET /orders?a=1 HTTP/1.1" 200 42 "http://shop/" "curl \\"8\\"" "${rule}" "accesspolicy/shop/trial/old"`,
      '] "TCP 127.0.0.1:6379" UAEX 7 "-" "-" "accesspolicy/shop/a/mtls"',
    ])
  })

  test('a connection and a request that could not be read fill what they can', () => {
    switches.format = 'apache'
    log.connection({ ...connection, principal: undefined, flag: 'UC' })
    log.refused(refusal)
    expect(lines).toEqual([
      `10.0.0.7 - - [${time}] "TCP 127.0.0.1:6379" UC 7 "-" "-"`,
      `10.0.0.7 - - [${time}] "-" 400 0 "-" "-"`,
    ])
  })
})

describe('what is written', () => {
  function all(): number {
    lines.length = 0
    served(200)
    served(404)
    served(503)
    served(200, { flag: 'DC' })
    served(undefined)
    log.connection(connection)
    log.connection({ ...connection, flag: 'UF' })
    log.refused(refusal)
    return lines.length
  }

  test('is nothing, everything, or what failed, as it is switched meanwhile', () => {
    expect(all()).toBe(8)
    switches.filter = 'errors'
    expect(all()).toBe(5)
    switches.format = 'off'
    expect(all()).toBe(0)
  })

  test('is what is traced', () => {
    switches.filter = 'sampled'
    expect(all()).toBe(0)
    const trace = { traceId: 't', spanId: 's', parentSpanId: undefined, sampled: true, debug: false }
    served(200, { trace })
    served(200, { trace: { ...trace, sampled: false } })
    expect(lines).toHaveLength(1)
  })

  test('costs an exchange nothing while it is off', () => {
    switches.format = 'off'
    const x = testExchange()
    log.watch(x)
    expect(x.timeline).toBeUndefined()
  })
})
