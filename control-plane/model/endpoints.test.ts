import { describe, expect, test } from 'vitest'
import { type ListedEndpoint, usableEndpoints } from './endpoints.ts'
import { workload } from './test-objects.ts'
import type { Workload } from './objects.ts'

const pod = (name: string) => workload(name).value as Workload

function listed(address: string, more: Partial<ListedEndpoint> = {}): ListedEndpoint {
  return {
    address,
    otherAddresses: [],
    port: 80,
    zone: '',
    forZones: [],
    workload: undefined,
    meshed: false,
    ready: true,
    serving: true,
    ...more,
  }
}

const addresses = (endpoints: readonly ListedEndpoint[], clusterIp?: string) =>
  usableEndpoints(endpoints, clusterIp).map(({ address, otherAddresses }) => [address, ...otherAddresses])

describe('who is sent to', () => {
  const terminating = listed('10.0.0.2', { ready: false })
  const dead = listed('10.0.0.3', { ready: false, serving: false })

  test('those that are ready', () => {
    expect(addresses([listed('10.0.0.1'), terminating, dead])).toEqual([['10.0.0.1']])
  })
  test('with nobody ready, those that terminate and still serve', () => {
    expect(addresses([terminating, dead])).toEqual([['10.0.0.2']])
    expect(addresses([dead])).toEqual([])
  })
})

describe('a pod with an address in each family', () => {
  const [v4, v6] = [listed('10.0.0.1', { workload: pod('a') }), listed('fd00::1', { workload: pod('a') })]

  test('is one endpoint, first by the family of the Service', () => {
    expect(addresses([v6, v4])).toEqual([['10.0.0.1', 'fd00::1']])
    expect(addresses([v4, v6], '10.96.0.1')).toEqual([['10.0.0.1', 'fd00::1']])
    expect(addresses([v4, v6], 'fd00::9')).toEqual([['fd00::1', '10.0.0.1']])
  })
  test('is two on two ports', () => {
    expect(addresses([v4, { ...v6, port: 81 }])).toHaveLength(2)
  })
  test('is not mistaken for several instances at addresses of their own', () => {
    expect(addresses([v4, v6, listed('10.0.0.2', { workload: pod('a') })])).toHaveLength(3)
  })
})

test('an endpoint that two slices list is one', () => {
  expect(addresses([listed('10.0.0.1'), listed('10.0.0.1'), listed('10.0.0.1', { port: 81 })])).toHaveLength(
    2,
  )
})
