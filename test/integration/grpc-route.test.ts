/** GRPCRoutes on a Service, from the folder through the control plane to a sidecar, with calls of grpc-js. */
import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LiveMesh } from '../../api/live.ts'
import { fetchText } from '../../cli/demo/sidecar-admin.ts'
import { type CallOptions, type GrpcMesh, startGrpcMesh } from '../support/grpc-mesh.ts'
import { ref } from '../support/route-mesh.ts'
import { watchTap } from '../support/tap-lines.ts'

let mesh: GrpcMesh
const usual = () => ({})

beforeAll(async () => {
  mesh = await startGrpcMesh(
    {
      catalog: usual,
      v1: usual,
      v2: usual,
      copies: usual,
      // Every other call.
      flaky: (_seen, before) => ({ status: before % 2 === 0 ? status.UNAVAILABLE : status.OK }),
      stubborn: () => ({ status: status.UNAVAILABLE, metadata: { 'grpc-retry-pushback-ms': '-1' } }),
      'mixed#good': usual,
      'mixed#bad': () => ({ status: status.UNAVAILABLE }),
      slow: async () => {
        await new Promise((resolve) => setTimeout(resolve, 2_000))
        return {}
      },
    },
    { empty: ['nobody'], settings: ['--access-log=json'] },
  )
}, 60_000)
afterAll(() => mesh?.stop())

/** Which application each call reached, or the name of its status. */
async function reached(...calls: readonly (string | readonly [string, CallOptions])[]) {
  const outcomes: string[] = []
  for (const one of calls) {
    const { app, code } = typeof one === 'string' ? await mesh.call(one) : await mesh.call(...one)
    outcomes.push(app === '' ? (status[code] as string) : app)
  }
  return outcomes
}

/** What is spent before the call is sent on. */
const delayYaml = `apiVersion: weft.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: late, namespace: shop}
spec:
  targetRefs: [{kind: Service, name: catalog}]
  fault: {delay: {duration: 200ms, percent: 100}}
`

const faultYaml = `apiVersion: weft.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: exhausted, namespace: shop}
spec:
  targetRefs: [{kind: Service, name: catalog}]
  fault: {abort: {grpcStatus: RESOURCE_EXHAUSTED}}
`

const outlierYaml = `apiVersion: weft.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: mixed, namespace: shop}
spec:
  targetRefs: [{kind: Service, name: mixed}]
  balancer: {type: RoundRobin}
  outlierDetection: {consecutiveFailures: 3, maxEjectionPercent: 100, panicPercent: 0}
`

const only = (rule: object) => ({ rules: [rule] })

describe('a call is matched', () => {
  test('by its service and method, the most specific match first', async () => {
    const text = { type: 'RegularExpression' }
    await mesh.route('methods', {
      rules: [
        { name: 'methods', matches: [{ method: { service: 'shop.Orders' } }], backendRefs: [ref('v1')] },
        {
          matches: [{ method: { service: 'shop.Orders', method: 'List' } }],
          backendRefs: [ref('v2')],
        },
        {
          matches: [{ method: { ...text, service: 'other[.].*' } }],
          backendRefs: [ref('catalog')],
        },
      ],
    })
    expect(
      await reached('shop.Orders/Get', 'shop.Orders/List', 'other.Orders/Get', 'shop.Items/Get'),
    ).toEqual(['v1', 'v2', 'catalog', 'UNIMPLEMENTED'])
  })
  test('by a method of any service, and by headers', async () => {
    await mesh.route('headers', {
      rules: [
        {
          name: 'headers',
          matches: [{ method: { method: 'Get' }, headers: [{ name: 'x-team', value: 'blue' }] }],
          backendRefs: [ref('v2')],
        },
        { backendRefs: [ref('v1')] },
      ],
    })
    const blue = { metadata: { 'x-team': 'blue' } }
    expect(await reached(['shop.Items/Get', blue], ['shop.Orders/List', blue], 'shop.Items/Get')).toEqual([
      'v2',
      'v1',
      'v1',
    ])
  })
})

test('calls of one connection are shared by weight', async () => {
  await mesh.route('weights', only({ name: 'weights', backendRefs: [ref('v1', { weight: 3 }), ref('v2')] }))
  const outcomes = await Promise.all(Array.from({ length: 400 }, () => mesh.call('shop.Orders/Get')))
  const v2 = outcomes.filter(({ app }) => app === 'v2').length
  expect(outcomes.every(({ code }) => code === status.OK)).toBe(true)
  // A quarter of 400; outside of this once in a million runs.
  expect(Math.abs(v2 - 100)).toBeLessThan(43)
})

test('filters change what is sent and what comes back, and copies go to a mirror', async () => {
  const filters = [
    {
      type: 'RequestHeaderModifier',
      requestHeaderModifier: { set: [{ name: 'x-added', value: 'yes' }], remove: ['x-secret'] },
    },
    {
      type: 'ResponseHeaderModifier',
      responseHeaderModifier: { set: [{ name: 'x-reply', value: 'seen' }] },
    },
    { type: 'RequestMirror', requestMirror: { backendRef: ref('copies') } },
  ]
  await mesh.route('filters', only({ name: 'filters', filters, backendRefs: [ref('v1')] }))
  const { metadata } = await mesh.call('shop.Orders/Get', { metadata: { 'x-secret': '1' } })
  expect(metadata.get('x-reply')).toEqual(['seen'])
  await expect.poll(() => mesh.seen.map(({ app }) => app).toSorted()).toEqual(['copies', 'v1'])
  for (const { metadata: sent } of mesh.seen) {
    expect(sent['x-added']).toBe('yes')
    expect(sent['x-secret']).toBeUndefined()
  }
})

describe('what is answered when there is nobody to send to', () => {
  test.each([
    ['a backend that does not exist', 'ghost', 'BACKEND_INVALID'],
    ['a backend without a ready endpoint', 'nobody', 'NO_ENDPOINTS'],
  ])('for %s: UNAVAILABLE, with the reason', async (_what, backend, code) => {
    await mesh.route(backend, only({ name: backend, backendRefs: [ref(backend)] }))
    const outcome = await mesh.call('shop.Orders/Get')
    expect([outcome.code, outcome.details]).toEqual([status.UNAVAILABLE, expect.stringContaining(code)])
  })
})

test('a call is sent again on the statuses that an annotation names', async () => {
  const annotations = { 'retry.weft.dev/grpc': 'unavailable', 'retry.weft.dev/limit': '1' }
  await mesh.route('retries', only({ name: 'retries', backendRefs: [ref('flaky')] }), annotations)
  const outcomes = await reached(...Array.from({ length: 10 }, () => 'shop.Orders/Get'))
  expect(new Set(outcomes)).toEqual(new Set(['flaky']))
})

test('a server that asks not to be tried again is not', async () => {
  const annotations = { 'retry.weft.dev/grpc': 'unavailable' }
  await mesh.route('stubborn', only({ name: 'stubborn', backendRefs: [ref('stubborn')] }), annotations)
  const { code, details } = await mesh.call('shop.Orders/Get')
  expect([code, details]).toEqual([status.UNAVAILABLE, 'stubborn says no'])
  expect(mesh.seen.map(({ app }) => app)).toEqual(['stubborn'])
})

test('an endpoint whose calls fail is left out by outlier detection', async () => {
  await mesh.route('mixed', only({ name: 'mixed', backendRefs: [ref('mixed')] }))
  const calls = () => reached(...Array.from({ length: 20 }, () => 'shop.Orders/Get'))
  expect(new Set(await calls())).toEqual(new Set(['mixed#good', 'UNAVAILABLE']))
  mesh.plane.write('policy.yaml', outlierYaml)
  try {
    await expect.poll(calls, { timeout: 10_000 }).not.toContain('UNAVAILABLE')
  } finally {
    mesh.plane.write('policy.yaml', '')
  }
})

describe('time', () => {
  const slow = (name: string) => only({ name, backendRefs: [ref('slow')] })
  test('of an attempt that is up is told as DEADLINE_EXCEEDED', async () => {
    await mesh.route('slow', slow('slow'), { 'retry.weft.dev/timeout': '150ms' })
    const outcome = await mesh.call('shop.Orders/Get')
    expect(outcome.code).toBe(status.DEADLINE_EXCEEDED)
    expect(outcome.details).toContain('UPSTREAM_TIMEOUT')
  })
  test('that a route gives is known to the next hop', async () => {
    await mesh.route('also-slow', slow('also-slow'), { 'timeout.weft.dev/request': '150ms' })
    expect((await mesh.call('shop.Orders/Get')).code).toBe(status.DEADLINE_EXCEEDED)
    expect(mesh.seen.at(-1)?.leftMs).toBeLessThanOrEqual(150)
  })
  test('that the client gives is less at the next hop', async () => {
    await mesh.route('quick', only({ name: 'quick', backendRefs: [ref('v1')] }))
    mesh.plane.write('policy.yaml', delayYaml)
    try {
      await expect
        .poll(async () => {
          await mesh.call('shop.Orders/Get', { timeoutMs: 5_000 })
          return mesh.seen.at(-1)?.leftMs
        })
        .toBeLessThan(4_900)
      expect(mesh.seen.at(-1)?.leftMs).toBeGreaterThan(2_000)
    } finally {
      mesh.plane.write('policy.yaml', '')
    }
  })
})

test('a fault answers with the status that it names', async () => {
  await mesh.route('sound', only({ name: 'sound', backendRefs: [ref('v1')] }))
  mesh.plane.write('policy.yaml', faultYaml)
  try {
    await expect
      .poll(
        async () => {
          const { code, details } = await mesh.call('shop.Orders/Get')
          return [status[code], details]
        },
        { timeout: 10_000 },
      )
      .toEqual(['RESOURCE_EXHAUSTED', expect.stringContaining('FAULT_INJECTED')])
  } finally {
    mesh.plane.write('policy.yaml', '')
  }
})

test('a tap and the live figures go by the status of the call', async () => {
  await mesh.route('watched', only({ name: 'watched', backendRefs: [ref('stubborn')] }))
  const { adminPort } = mesh.plane.running
  const taps = ['grpcStatus=unavailable', 'grpcStatus=failed', 'grpcStatus=5', 'status=5xx'].map((query) =>
    watchTap(adminPort, query),
  )
  try {
    await expect
      .poll(
        async () => {
          await mesh.call('shop.Orders/Get')
          return taps.map(({ lines }) => lines.length > 0)
        },
        { timeout: 10_000 },
      )
      .toEqual([true, true, false, false])
    expect(taps[0]?.lines[0]).toMatchObject({ status: 200, grpcStatus: 'UNAVAILABLE', failed: true })
  } finally {
    for (const tap of taps) tap.stop()
  }
  const success = async (): Promise<number> => {
    const { edges } = JSON.parse((await fetchText(adminPort, '/live/mesh')).text) as LiveMesh
    return edges.find(({ backend }) => backend.name === 'stubborn')?.successRatio ?? 1
  }
  await expect.poll(success).toBe(0)
})

test('calls are counted and logged by their own status', async () => {
  await mesh.route('counted', only({ name: 'counted', backendRefs: [ref('flaky')] }))
  const outcomes = await reached('shop.Orders/Get', 'shop.Orders/Get')
  expect(outcomes.toSorted()).toEqual(['UNAVAILABLE', 'flaky'])
  const { metric, log } = mesh.sidecar
  const flaky = 'dst_service="flaky"'
  const ofStatus = async (classification: string, code: number): Promise<number> => {
    const { text } = await fetchText(mesh.sidecar.adminPort, '/metrics')
    const labels = [
      flaky,
      'status_code="200"',
      `classification="${classification}"`,
      `grpc_status_code="${code}"`,
    ]
    const line = text
      .split('\n')
      .find((one) => one.startsWith('response_total{') && labels.every((label) => one.includes(label)))
    return Number(line?.split(' ').at(-1) ?? Number.NaN)
  }
  expect(await metric('request_total', flaky)).toBeGreaterThanOrEqual(2)
  expect(await ofStatus('failure', 14)).toBeGreaterThan(0)
  expect(await ofStatus('success', 0)).toBeGreaterThan(0)
  await expect.poll(log).toMatch(/"status":200,"grpcStatus":14,/)
})
