import { expect, test } from 'vitest'
import { decode, unpackAs } from '../../api/xds/codec.ts'
import { httpProtocolOptions } from '../../api/xds/naming.ts'
import { resourceNames } from '../../api/xds/type-urls.ts'
import { MeshModel } from '../model/mesh-model.ts'
import type { Change, ServicePort } from '../model/objects.ts'
import { externalService, service } from '../model/test-objects.ts'
import type { ClientKind } from './client-kind.ts'
import { Snapshot } from './snapshot.ts'

function orders(facts: Partial<ServicePort>): Change {
  const made = service('orders')
  if (made.kind !== 'service' || made.value === undefined) throw new Error('no service')
  return { ...made, value: { ...made.value, ports: [{ name: '', port: 8080, protocol: '', ...facts }] } }
}

function optionsOf(facts: Partial<ServicePort>, kind: ClientKind = 'sidecar', of = 'orders') {
  const model = new MeshModel()
  model.apply([orders(facts), externalService('alias', 'orders.shop.svc.cluster.local', [8080])])
  const snapshot = new Snapshot(model, { trustDomain: 'cluster.local', trustBundlePem: () => '' })
  const name = `${of}.shop.svc.cluster.local:8080`
  const bytes = snapshot.get('cluster', name, kind, 'shop')?.bytes
  if (bytes === undefined) throw new Error('no cluster')
  const options = decode(resourceNames.cluster, bytes).typedExtensionProtocolOptions?.[httpProtocolOptions]
  return unpackAs(httpProtocolOptions, options)?.explicitHttpConfig
}

test.each(['sidecar', 'envoy'] as const)('an HTTP/2 port is told to a %s in Envoy’s own words', (kind) => {
  expect(optionsOf({ protocol: 'kubernetes.io/h2c' }, kind)).toEqual({ http2ProtocolOptions: {} })
  expect(optionsOf({ name: 'grpc-orders' }, kind)).toEqual({ http2ProtocolOptions: {} })
})

test('an HTTP/1.1 port is told as well, and silence is silence', () => {
  expect(optionsOf({ protocol: 'http' })).toEqual({ httpProtocolOptions: {} })
  expect(optionsOf({})).toBeUndefined()
})

test('a stock gRPC client is told nothing', () => {
  expect(optionsOf({ protocol: 'grpc' }, 'grpc')).toBeUndefined()
})

test('another name of a Service says what that Service does', () => {
  expect(optionsOf({ protocol: 'grpc' }, 'sidecar', 'alias')).toEqual({ http2ProtocolOptions: {} })
})
