import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import type { TrafficPolicy } from '../model/objects.ts'
import { parseFile } from '../providers/directory/parse-file.ts'

const targetRefs = [{ kind: 'Service', name: 'catalog' }]

function parse(spec: object) {
  const metadata = { name: 'p', namespace: 'shop' }
  const { objects, problems } = parseFile(
    'p.yaml',
    stringify({ apiVersion: 'weft.dev/v1alpha1', kind: 'TrafficPolicy', metadata, spec }),
  )
  const change = objects[0]?.change
  return {
    policy: change?.kind === 'policy' ? change.value : undefined,
    problems: problems.map(({ text }) => text.replace(/^p\.yaml:\d+ TrafficPolicy shop\/p /, '')),
  }
}

function settings(spec: object): TrafficPolicy['settings'] {
  const { policy, problems } = parse({ targetRefs, ...spec })
  if (policy === undefined) throw new Error(problems.join('\n'))
  return policy.settings
}

test('targets Services of its namespace, as a whole or one port of them by name or number', () => {
  const { policy } = parse({
    targetRefs: [
      { group: '', kind: 'Service', name: 'a' },
      { kind: 'Service', name: 'b', sectionName: 'http' },
      { kind: 'Service', name: 'c', port: 8080 },
    ],
  })
  expect(policy?.targets).toEqual([
    { service: 'a', port: undefined },
    { service: 'b', port: { name: 'http' } },
    { service: 'c', port: { number: 8080 } },
  ])
})

describe('every section is read', () => {
  test('timeouts', () => {
    const timeouts = { request: '2s', response: '1s', perTry: '500ms', idle: '5m' }
    expect(settings({ timeouts }).timeouts).toEqual({
      requestMs: 2_000,
      responseMs: 1_000,
      perTryMs: 500,
      idleMs: 300_000,
    })
  })

  test('retries, with the status codes of a range', () => {
    const retries = {
      conditions: ['gateway-error', 'connect-failure'],
      statusCodes: [429, '500-502'],
      methods: ['GET', 'PUT'],
      limit: 3,
      perTryTimeout: '300ms',
      backoff: { base: '10ms', max: '1s', retryAfter: '5s' },
      budget: { ratioPercent: 10, minPerSecond: 5, ttl: '30s' },
      hedging: { percentile: 95 },
    }
    expect(settings({ retries }).retries).toEqual({
      conditions: ['gateway-error', 'connect-failure'],
      statusCodes: [429, 500, 501, 502],
      methods: ['GET', 'PUT'],
      limit: 3,
      perTryTimeoutMs: 300,
      backoff: { minMs: 0, baseMs: 10, maxMs: 1_000, retryAfterMaxMs: 5_000 },
      budget: { ratioPercent: 10, minPerSecond: 5, ttlMs: 30_000 },
      hedging: { kind: 'percentile', percentile: 95 },
    })
    expect(settings({ retries: { hedging: { delay: '20ms' } } }).retries?.hedging).toEqual({
      kind: 'delay',
      delayMs: 20,
    })
  })

  test.each([
    ['PeakEWMA', { peakEwma: { decay: '5s', defaultLatency: '10ms' } }, { decayMs: 5_000 }],
    ['LeastRequest', { leastRequest: { choices: 3 } }, { kind: 'least-request', choices: 3 }],
    ['RoundRobin', {}, { kind: 'round-robin' }],
    ['Random', {}, { kind: 'random' }],
    [
      'RingHash',
      { ringHash: { minimumRingSize: 64, maximumRingSize: 128 }, hash: [{ header: 'X-User' }] },
      { kind: 'ring-hash', minRingSize: 64, maxRingSize: 128 },
    ],
    ['Maglev', { maglev: { tableSize: 251 }, hash: [{ sourceIp: true }] }, { tableSize: 251 }],
  ])('a balancer of type %s', (type, more, algorithm) => {
    expect(settings({ balancer: { type, ...more } }).balancer?.algorithm).toMatchObject(algorithm)
  })

  test('what a hashing balancer hashes, in order', () => {
    const hash = [
      { header: 'X-User' },
      { cookie: { name: 'session', ttl: '1h', path: '/' } },
      { query: 'user' },
      { sourceIp: true },
    ]
    expect(settings({ balancer: { type: 'Maglev', hash } }).balancer?.hash).toEqual([
      { kind: 'header', name: 'x-user' },
      { kind: 'cookie', name: 'session', ttlMs: 3_600_000, path: '/' },
      { kind: 'query', name: 'user' },
      { kind: 'source-ip' },
    ])
  })

  test('slow start and zone preference', () => {
    const balancer = {
      slowStart: { window: '30s', minWeightPercent: 5, aggression: 2 },
      zonePreference: 'SameZone',
    }
    expect(settings({ balancer }).balancer).toMatchObject({
      slowStart: { windowMs: 30_000, minWeightPercent: 5, aggression: 2 },
      zonePreference: 'same-zone',
    })
  })

  test('connection pool', () => {
    const connectionPool = { maxConnections: 8, maxPending: 0, maxRequests: 16, queueTimeout: '200ms' }
    expect(settings({ connectionPool }).connectionPool).toEqual({
      maxConnections: 8,
      maxPending: 0,
      maxRequests: 16,
      maxRetries: 3,
      queueTimeoutMs: 200,
    })
  })

  test('outlier detection', () => {
    const outlierDetection = {
      consecutiveFailures: 0,
      consecutiveGatewayFailures: 3,
      successRate: { thresholdPercent: 80, minRequests: 5 },
      interval: '1s',
      baseEjection: '2s',
      maxEjection: '1m',
      maxEjectionPercent: 50,
      panicPercent: 30,
    }
    expect(settings({ outlierDetection }).outlierDetection).toEqual({
      consecutiveFailures: undefined,
      consecutiveGatewayFailures: 3,
      consecutiveLocalFailures: undefined,
      successRate: { thresholdPercent: 80, stdevFactor: 1.9, minRequests: 5, minEndpoints: 5 },
      intervalMs: 1_000,
      baseEjectionMs: 2_000,
      maxEjectionMs: 60_000,
      ejectionJitterMs: 200,
      maxEjectionPercent: 50,
      panicPercent: 30,
    })
  })

  test('rate limit in total, per principal and per header', () => {
    const per = (key: unknown) => settings({ rateLimit: { requestsPerSecond: 2.5, per: key } }).rateLimit
    expect(per('total')).toEqual({ requestsPerSecond: 2.5, burst: 3, per: { kind: 'total' } })
    expect(per('principal')?.per).toEqual({ kind: 'principal' })
    expect(per({ header: 'X-Tenant' })?.per).toEqual({ kind: 'header', name: 'x-tenant' })
  })

  test('fault', () => {
    const fault = {
      delay: { duration: '2s', percent: 12.5 },
      abort: { status: 503 },
      headers: [{ name: 'X-Fault', value: 'yes' }],
    }
    expect(settings({ fault }).fault).toEqual({
      delay: { delayMs: 2_000, percent: 12.5 },
      abort: { status: 503, percent: 100 },
      headers: [{ name: 'x-fault', value: 'yes', regex: false }],
    })
    expect(settings({ fault: { abort: { grpcStatus: 'UNAVAILABLE', percent: 5 } } }).fault?.abort).toEqual({
      grpcStatus: 'UNAVAILABLE',
      percent: 5,
    })
  })
})

describe('what is wrong is named by its field', () => {
  test.each([
    [{}, 'spec.targetRefs: must name a Service'],
    [{ targetRefs: [{ kind: 'Deployment', name: 'x' }] }, 'spec.targetRefs[0].kind: must be Service'],
    [{ targetRefs, timeout: '1s' }, 'spec.timeout: is not known'],
    [{ targetRefs, timeouts: { request: '10' } }, 'spec.timeouts.request: must be a duration'],
    [{ targetRefs, timeouts: { request: '25h' } }, 'spec.timeouts.request: must be a duration of at most'],
    [{ targetRefs, retries: { conditions: ['5XX'] } }, 'spec.retries.conditions[0]: must be one of 5xx'],
    [{ targetRefs, retries: { statusCodes: ['504-500'] } }, 'spec.retries.statusCodes[0]: must be a status'],
    [{ targetRefs, retries: { methods: ['get'] } }, 'spec.retries.methods[0]: must be a method'],
    [{ targetRefs, retries: { hedging: {} } }, 'spec.retries.hedging: must have either'],
    [
      { targetRefs, timeouts: { perTry: '1s' }, retries: { perTryTimeout: '1s' } },
      'spec.retries.perTryTimeout: says the same',
    ],
    [{ targetRefs, balancer: { type: 'Fastest' } }, 'spec.balancer.type: must be one of PeakEWMA'],
    [{ targetRefs, balancer: { type: 'RingHash' } }, 'spec.balancer.hash: must say what to hash'],
    [
      { targetRefs, balancer: { type: 'RoundRobin', hash: [{ sourceIp: true }] } },
      'spec.balancer.hash: needs a balancer of type',
    ],
    [
      { targetRefs, balancer: { type: 'Maglev', maglev: { tableSize: 100 }, hash: [{ sourceIp: true }] } },
      'spec.balancer.maglev.tableSize: must be a prime',
    ],
    [
      { targetRefs, balancer: { type: 'Random', leastRequest: {} } },
      'spec.balancer.leastRequest: is not for a balancer of type Random',
    ],
    [{ targetRefs, connectionPool: { maxConnections: 0 } }, 'spec.connectionPool.maxConnections: must be a'],
    [
      { targetRefs, outlierDetection: { baseEjection: '1m', maxEjection: '1s' } },
      'spec.outlierDetection.maxEjection: must not be shorter',
    ],
    [{ targetRefs, rateLimit: {} }, 'spec.rateLimit.requestsPerSecond: is required'],
    [{ targetRefs, fault: {} }, 'spec.fault: must have a delay or an abort'],
    [
      {
        targetRefs,
        fault: {
          abort: { status: 503 },
          headers: [{ type: 'RegularExpression', name: 'x', value: '((a{50}){50}){50}' }],
        },
      },
      'spec.fault.headers[0].value: regex repeats too much',
    ],
    [{ targetRefs, fault: { abort: { status: 700 } } }, 'spec.fault.abort.status: must be a whole number'],
    [{ targetRefs, fault: { abort: {} } }, 'spec.fault.abort: must have either a status or a grpcStatus'],
    [
      { targetRefs, fault: { abort: { status: 503, grpcStatus: 'UNAVAILABLE' } } },
      'spec.fault.abort: must have either',
    ],
    [
      { targetRefs, fault: { abort: { grpcStatus: '14' } } },
      'spec.fault.abort.grpcStatus: must be one of OK',
    ],
  ])('%j', (spec, problem) => {
    const { policy, problems } = parse(spec)
    expect(policy).toBeUndefined()
    expect(problems).toEqual([expect.stringContaining(problem) as string])
  })
})
