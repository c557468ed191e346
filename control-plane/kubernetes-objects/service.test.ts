import { expect, test } from 'vitest'
import { convertObject } from './convert.ts'

const convert = (spec: object) =>
  convertObject({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'pay', namespace: 'shop' }, spec })
const external = (externalName?: unknown) => convert({ type: 'ExternalName', externalName })

test('a Service of type ExternalName has the name that it stands for', () => {
  expect(external('API.example.com.')).toMatchObject({
    outcome: 'converted',
    change: { value: { externalName: 'api.example.com', ports: [] } },
  })
  expect(convert({ type: 'ClusterIP', externalName: 'left.over' })).toMatchObject({
    change: { value: { externalName: undefined } },
  })
})

test.each([
  [undefined, 'is required'],
  ['http://example.com', 'must be a DNS name'],
  ['-a.example', 'must be a DNS name'],
  [`${'a'.repeat(254)}`, 'must be a DNS name'],
])('the name %j is refused', (name, text) => {
  expect(external(name)).toMatchObject({
    outcome: 'refused',
    problems: [{ path: ['spec', 'externalName'], problem: expect.stringContaining(text) as string }],
  })
})

test('an endpoint is an IP address: names belong to a Service of type ExternalName', () => {
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'pay', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'pay' } },
    addressType: 'FQDN',
    ports: [{ port: 443 }],
    endpoints: [{ addresses: ['api.example.com'] }],
  }
  expect(convertObject(slice)).toMatchObject({
    outcome: 'refused',
    problems: [{ path: ['endpoints', 0, 'addresses', 0] }],
  })
})

test("a Service's UDP ports are none of the mesh's", () => {
  const converted = convertObject({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'dns', namespace: 'kube-system' },
    spec: {
      clusterIP: '10.96.0.10',
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
      ],
    },
  })
  expect(converted).toMatchObject({ change: { value: { ports: [{ name: 'dns-tcp', port: 53 }] } } })
})
