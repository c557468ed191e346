import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { parseFile } from '../providers/directory/parse-file.ts'

function parse(annotations: Readonly<Record<string, string>>) {
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's', annotations } }
  const { objects, problems } = parseFile('s.yaml', stringify(service))
  const change = objects[0]?.change
  return {
    traffic: change?.kind === 'service' ? change.value?.traffic : undefined,
    problems: problems.map(({ text }) => text),
  }
}

test('a Service without annotations has no settings', () => {
  const { traffic } = parse({})
  expect(Object.values(traffic ?? { none: 1 }).every((section) => section === undefined)).toBe(true)
})

test('retries, over HTTP and gRPC', () => {
  const { traffic } = parse({
    'retry.weft.dev/http': 'gateway-error, 429, 500-501',
    'retry.weft.dev/grpc': 'unavailable',
    'retry.weft.dev/limit': '2',
    'retry.weft.dev/timeout': '400ms',
  })
  expect(traffic?.retries).toMatchObject({
    conditions: ['gateway-error', 'unavailable'],
    statusCodes: [429, 500, 501],
    limit: 2,
    perTryTimeoutMs: 400,
  })
})

test('timeouts', () => {
  const { traffic } = parse({ 'timeout.weft.dev/request': '10s', 'timeout.weft.dev/idle': '1m' })
  expect(traffic?.timeouts).toEqual({
    requestMs: 10_000,
    responseMs: undefined,
    perTryMs: undefined,
    idleMs: 60_000,
  })
})

test('the balancer', () => {
  const { traffic } = parse({
    'balancer.weft.dev/type': 'RingHash',
    'balancer.weft.dev/hash': 'header:X-User, source-ip',
  })
  expect(traffic?.balancer).toMatchObject({
    algorithm: { kind: 'ring-hash', minRingSize: 1024 },
    hash: [{ kind: 'header', name: 'x-user' }, { kind: 'source-ip' }],
  })
})

test('failure accrual, with the defaults of Linkerd', () => {
  const { traffic } = parse({
    'balancer.weft.dev/failure-accrual': 'consecutive',
    'balancer.weft.dev/failure-accrual-consecutive-max-failures': '3',
  })
  expect(traffic?.outlierDetection).toMatchObject({
    consecutiveFailures: 3,
    baseEjectionMs: 1_000,
    maxEjectionMs: 60_000,
    maxEjectionPercent: 100,
  })
})

test.each([
  [{ 'retry.weft.dev/htpp': '5xx' }, 'metadata.annotations.retry.weft.dev/htpp: is not known'],
  [{ 'retry.weft.dev/http': '5xx,often' }, "'often' is no condition"],
  [{ 'retry.weft.dev/limit': 'two' }, 'retry.weft.dev/limit: must be a whole number'],
  [{ 'timeout.weft.dev/request': '10' }, 'timeout.weft.dev/request: must be a duration'],
  [{ 'balancer.weft.dev/type': 'Maglev' }, 'balancer.weft.dev/hash: must say what to hash'],
  [{ 'balancer.weft.dev/type': 'Maglev', 'balancer.weft.dev/hash': 'ip' }, "'ip' must be header:NAME"],
])('%j is refused', (annotations, problem) => {
  const { traffic, problems } = parse(annotations)
  expect(traffic).toBeUndefined()
  expect(problems[0]).toContain(problem)
})
