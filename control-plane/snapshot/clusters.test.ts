import { expect, test } from 'vitest'
import { decode } from '../../api/xds/codec.ts'
import { fromStruct } from '../../api/xds/struct.ts'
import { resourceNames } from '../../api/xds/type-urls.ts'
import { MeshModel } from '../model/mesh-model.ts'
import { service, slice, workload } from '../model/test-objects.ts'
import { Snapshot } from './snapshot.ts'

const name = 'db.shop.svc.cluster.local:8080'

function snapshot(): Snapshot {
  const model = new MeshModel()
  model.apply([
    service('db'),
    slice('db', [{ address: '10.0.0.7', workload: 'shop/db-0' }]),
    workload('db-0', { owner: 'statefulset/db' }),
  ])
  return new Snapshot(model, { trustDomain: 'cluster.local', trustBundlePem: () => '' })
}

test('only gRPC clients are told by their clusters where to report load', () => {
  for (const client of ['grpc', 'sidecar', 'envoy'] as const) {
    const bytes = snapshot().get('cluster', name, client, 'shop')?.bytes ?? Buffer.alloc(0)
    const { lrsServer } = decode(resourceNames.cluster, bytes)
    expect(lrsServer?.self !== undefined, client).toBe(client === 'grpc')
  }
})

test("an endpoint's metadata tells what owns its pod", () => {
  const bytes = snapshot().get('clusterLoadAssignment', name, 'sidecar', 'shop')?.bytes ?? Buffer.alloc(0)
  const [endpoint] = decode(resourceNames.clusterLoadAssignment, bytes).endpoints?.[0]?.lbEndpoints ?? []
  expect(fromStruct(endpoint?.metadata?.filterMetadata?.['weft.dev'])).toMatchObject({
    pod: 'db-0',
    owner: 'statefulset/db',
  })
})
