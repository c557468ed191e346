import { expect, test } from 'vitest'
import type { LiveInbound } from '../../../../api/live.ts'
import { mesh, service, sidecar } from './test-mesh.ts'
import { workloadsBehind } from './workloads-behind.ts'

const received: LiveInbound = {
  workload: { namespace: 'shop', name: 'catalog', kind: 'Deployment' },
  port: 8080,
  requestsPerSecond: 12,
  successRatio: 1,
  p50Ms: 1,
  p95Ms: 2,
  p99Ms: 3,
  mtlsRatio: 0.5,
}

test('what the workloads behind a service received is told by port, whoever sent it', () => {
  const live = { ...mesh([], [sidecar('catalog'), sidecar('other')]), inbound: [received] }
  expect(workloadsBehind(service('catalog', ['catalog-1', 'other-1', 'bare-1']), live)).toMatchObject([
    {
      workload: { name: 'catalog' },
      port: 8080,
      pods: 1,
      figures: { requestsPerSecond: 12, mtlsRatio: 0.5 },
    },
    { workload: { name: 'other' }, port: null, figures: { requestsPerSecond: 0 } },
  ])
})

test('workloads of other services are not among them', () => {
  const live = mesh([], [sidecar('other')])
  expect(workloadsBehind(service('catalog', ['catalog-1']), live)).toEqual([])
})
