import { expect, test } from 'vitest'
import { goldenBetween, inboundCounts, inboundPeers } from './golden.ts'

const alice = 'tls="true",client_id="spiffe://t/ns/shop/sa/alice"'
const page = `# TYPE request_total counter
request_total{direction="inbound",${alice},pod="web"} 8
request_total{direction="inbound",tls="no_identity",pod="web"} 2
request_total{direction="outbound",tls="true",dst="x"} 100
response_total{direction="inbound",${alice},status_code="200",classification="success"} 9
response_total{direction="inbound",${alice},status_code="500",classification="failure"} 1
response_latency_ms_bucket{direction="inbound",${alice},le="1"} 0
response_latency_ms_bucket{direction="inbound",${alice},le="2"} 9
response_latency_ms_bucket{direction="inbound",${alice},le="10"} 10
response_latency_ms_bucket{direction="inbound",${alice},le="+Inf"} 10
`

test('peers are those that proved who they are; the rest came in clear', () => {
  expect(inboundPeers(page)).toEqual({
    clients: ['spiffe://t/ns/shop/sa/alice'],
    requests: 10,
    inClear: 2,
  })
})

test('success and latency are those since the last reading', () => {
  const counts = inboundCounts(page)
  const golden = goldenBetween(undefined, counts)
  expect(golden).toMatchObject({ requests: 10, success: 90 })
  expect(golden.p50Ms).toBeCloseTo(1 + 5 / 9)
  expect(golden.p99Ms).toBeCloseTo(2 + (8 * 0.9) / 1)
  expect(goldenBetween(counts, counts)).toEqual({
    requests: 0,
    success: undefined,
    p50Ms: undefined,
    p99Ms: undefined,
  })
})

test('a sidecar that was restarted is counted from zero', () => {
  const before = { ...inboundCounts(page), responses: 1000, failures: 1000 }
  expect(goldenBetween(before, inboundCounts(page))).toMatchObject({ requests: 10, success: 90 })
})

test('a sidecar that cannot be read gives nothing', () => {
  expect(inboundPeers('')).toEqual({ clients: [], requests: 0, inClear: 0 })
  expect(goldenBetween(undefined, inboundCounts('')).success).toBeUndefined()
})
