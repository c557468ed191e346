import { status } from '@grpc/grpc-js'
import { describe, expect, test } from 'vitest'
import { decode } from '../../api/xds/codec.ts'
import { rootCaSecret } from '../../api/xds/naming.ts'
import { toStruct } from '../../api/xds/struct.ts'
import { type ResourceKind, resourceKindOf, typeUrls } from '../../api/xds/type-urls.ts'
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from '../../api/xds/types.ts'
import type { WorkloadIdentity } from '../ca/authenticator.ts'
import { policy, removed, service, slice, split } from '../model/test-objects.ts'
import { defaultOutlierDetection } from '../model/traffic-settings.ts'
import { type DeltaCall, DeltaStream, ResponseCache } from './delta-stream.ts'
import { nameOf, TestCall, TestMesh, web } from './test-streams.ts'

type Written = DeltaDiscoveryResponse | Buffer

/** What one response says, short enough to compare. */
function describeResponse(written: Written): string {
  const response = decode('envoy.service.discovery.v3.DeltaDiscoveryResponse', written as Buffer)
  const kind = resourceKindOf(response.typeUrl ?? '') ?? 'unknown type'
  const names = (response.resources ?? []).map(({ name }) => `+${name}`)
  return [kind, ...names, ...(response.removedResources ?? []).map((name) => `-${name}`)].join(' ')
}

function open(mesh: TestMesh, peer: { readonly identity: WorkloadIdentity | undefined } = { identity: web }) {
  const call = new TestCall<DeltaDiscoveryRequest, Written>()
  const stream = mesh.add(new DeltaStream(call as unknown as DeltaCall, { ...peer, address: 'test' }, mesh))
  const subscribe = (kind: ResourceKind, names: readonly string[], rest: DeltaDiscoveryRequest = {}): void =>
    call.receive({
      node: { id: 'web.shop', userAgentName: 'weft' },
      typeUrl: typeUrls[kind],
      resourceNamesSubscribe: names,
      ...rest,
    })
  /** The responses since the last time. */
  const sent = (): string[] => call.written.splice(0).map(describeResponse)
  return { call, stream, subscribe, sent }
}

const apex = nameOf('catalog')
const weights = (v1: number, v2: number) => split('catalog', { 'catalog-v1': v1, 'catalog-v2': v2 })

test('a subscription is answered with what there is, and with the names of what there is not', () => {
  const client = open(new TestMesh())
  client.subscribe('routeConfiguration', [apex, nameOf('ghost')])
  expect(client.sent()).toEqual([`routeConfiguration +${apex} -${nameOf('ghost')}`])
})

test('a type that is not served, and a name nobody asks for any more, get nothing', () => {
  const mesh = new TestMesh()
  const client = open(mesh)
  client.call.receive({ typeUrl: 'type.googleapis.com/x.Unknown', resourceNamesSubscribe: [apex] })
  client.subscribe('routeConfiguration', [apex])
  client.subscribe('routeConfiguration', [], { resourceNamesUnsubscribe: [apex] })
  expect(client.sent()).toHaveLength(1)
  mesh.change(weights(1000, 1000))
  expect(client.sent()).toEqual([])
})

describe('make before break', () => {
  const kinds = ['routeConfiguration', 'listener', 'clusterLoadAssignment', 'cluster'] as const
  const later = nameOf('later')
  function follow() {
    const mesh = new TestMesh()
    const client = open(mesh)
    for (const kind of kinds) client.subscribe(kind, [later, apex])
    client.sent()
    return { mesh, client }
  }

  test('what appears comes as clusters, endpoints, listeners, routes', () => {
    const { mesh, client } = follow()
    mesh.change(service('later'))
    expect(client.sent()).toEqual(kinds.toReversed().map((kind) => `${kind} +${later}`))
  })

  test('what goes leaves the other way round: its clusters only after everything that names them', () => {
    const { mesh, client } = follow()
    mesh.change(service('later'))
    client.sent()
    mesh.change(removed(service('later')), weights(1000, 1000))
    expect(client.sent()).toEqual([
      `listener +${apex} -${later}`,
      `routeConfiguration +${apex} -${later}`,
      `clusterLoadAssignment -${later}`,
      `cluster -${later}`,
    ])
  })
})

describe('nothing is sent twice', () => {
  test('a weight change is a Listener, for connections, and a RouteConfiguration, an endpoint change one ClusterLoadAssignment', () => {
    const mesh = new TestMesh()
    const client = open(mesh)
    const names = ['catalog', 'catalog-v1', 'catalog-v2'].map(nameOf)
    for (const kind of ['listener', 'routeConfiguration', 'cluster', 'clusterLoadAssignment'] as const)
      client.subscribe(kind, names)
    client.sent()
    mesh.change(weights(1000, 1000))
    expect(client.sent()).toEqual([`listener +${apex}`, `routeConfiguration +${apex}`])
    mesh.change(slice('catalog-v2', [{ address: '10.0.0.3' }]))
    expect(client.sent()).toEqual([`clusterLoadAssignment +${nameOf('catalog-v2')}`])
    mesh.change(slice('catalog-v2', [{ address: '10.0.0.3' }]))
    expect(client.sent()).toEqual([])
  })

  test('a client that comes back is sent what is newer than it says, and told what is gone', () => {
    const mesh = new TestMesh()
    const version = (name: string) => mesh.snapshot.get('cluster', name, 'sidecar', '')?.version ?? ''
    const names = [apex, nameOf('catalog-v1'), nameOf('ghost')]
    const initialResourceVersions = {
      [apex]: version(apex),
      [nameOf('catalog-v1')]: 'old',
      [nameOf('ghost')]: 'x',
    }
    const client = open(mesh)
    client.subscribe('cluster', names, { initialResourceVersions })
    expect(client.sent()).toEqual([`cluster +${nameOf('catalog-v1')}`, `cluster -${nameOf('ghost')}`])
  })

  test('a client that has it all hears nothing', () => {
    const mesh = new TestMesh()
    const version = mesh.snapshot.get('cluster', apex, 'sidecar', '')?.version ?? ''
    const client = open(mesh)
    client.subscribe('cluster', [apex], { initialResourceVersions: { [apex]: version } })
    expect(client.sent()).toEqual([])
  })

  test('a name that is asked for again is answered again', () => {
    const client = open(new TestMesh())
    client.subscribe('cluster', [apex, nameOf('ghost')])
    client.sent()
    client.subscribe('cluster', [apex, nameOf('ghost')])
    expect(client.sent()).toEqual([`cluster +${apex}`, `cluster -${nameOf('ghost')}`])
  })

  test('what a client refuses is logged and counted, and not sent again before it changes', () => {
    const mesh = new TestMesh()
    const client = open(mesh)
    client.subscribe('routeConfiguration', [apex])
    client.sent()
    const errorDetail = { code: 3, message: 'routes[0]: no' }
    client.subscribe('routeConfiguration', [], { responseNonce: '1', errorDetail })
    mesh.push(new Set(['service:shop/catalog']))
    expect(client.sent()).toEqual([])
    expect(mesh.stats).toMatchObject({ nacks: 1, acks: 0 })
    expect(mesh.logLines.join()).toMatch(/RESOURCE_REJECTED.*web\.shop.*routes\[0\]: no/)
    mesh.change(weights(1000, 1000))
    expect(client.sent()).toEqual([`routeConfiguration +${apex}`])
    client.subscribe('routeConfiguration', [], { responseNonce: '2' })
    expect(mesh.stats).toMatchObject({ nacks: 1, acks: 1 })
  })
})

describe('bytes', () => {
  test('two streams that are sent the same in one push share one Buffer', () => {
    const mesh = new TestMesh()
    const clients = [open(mesh), open(mesh)] as const
    for (const { subscribe } of clients) subscribe('routeConfiguration', [apex])
    for (const { sent } of clients) sent()
    mesh.change(weights(1000, 1000))
    const [first, second] = clients.map(({ call }) => call.written)
    expect(first).toHaveLength(1)
    expect(second?.[0]).toBe(first?.[0])
  })

  test('names that clients make up do not fill the memory between two pushes', () => {
    const cache = new ResponseCache()
    for (let i = 0; i < 5000; i++) cache.get('listener', [], [`${i}`.padEnd(4096, 'x')])
    expect(cache.size).toBe(0)
    const bytes = Buffer.alloc(4096)
    for (let i = 0; i < 5000; i++) cache.get('listener', [{ name: `${i}`, version: '1', bytes }], [])
    expect(cache.size).toBeLessThan(9 * 1024 * 1024)
  })
})

describe('a client that does not read', () => {
  function stuck() {
    const mesh = new TestMesh()
    const client = open(mesh)
    client.call.reads = false
    client.subscribe('routeConfiguration', [apex])
    client.sent()
    return { mesh, client }
  }

  test('is sent the newest state once when it reads again, and nothing in between', () => {
    const { mesh, client } = stuck()
    for (let v1 = 1; v1 <= 100; v1++) mesh.change(weights(v1 * 1000, 1000))
    expect(client.sent()).toEqual([])
    client.call.readAgain()
    expect(client.call.written).toHaveLength(1)
    const { resources } = decode(
      'envoy.service.discovery.v3.DeltaDiscoveryResponse',
      client.call.written[0] as Buffer,
    )
    expect(resources?.[0]?.version).toBe(
      mesh.snapshot.get('routeConfiguration', apex, 'sidecar', '')?.version,
    )
  })

  test('gets no more for asking on and on, and nothing for what it has given up meanwhile', () => {
    const { client } = stuck()
    for (let i = 0; i < 1000; i++) client.subscribe('cluster', [apex, nameOf(`ghost-${i}`)])
    const ghosts = Array.from({ length: 1000 }, (_, i) => nameOf(`ghost-${i}`))
    client.subscribe('cluster', [], { resourceNamesUnsubscribe: ghosts.slice(1) })
    expect(client.sent()).toEqual([])
    client.call.readAgain()
    expect(client.sent()).toEqual([`cluster +${apex}`, `cluster -${ghosts[0]}`])
  })
})

describe('who may have what', () => {
  const inbound = 'inbound/shop/web'
  test.each([
    ['the workload itself', web, `listener +${inbound}`],
    ['the pod that its token was made for', { ...web, pod: 'web' }, `listener +${inbound}`],
    ['another pod of the same service account', { ...web, pod: 'web-2' }, `listener -${inbound}`],
    ['another service account', { ...web, serviceAccount: 'other' }, `listener -${inbound}`],
    ['another namespace', { ...web, namespace: 'other' }, `listener -${inbound}`],
    ['nobody in particular', undefined, `listener -${inbound}`],
  ])('%s asks for the inbound listener', (_who, identity, expected) => {
    const client = open(new TestMesh(), { identity })
    client.subscribe('listener', [inbound])
    expect(client.sent()).toEqual([expected])
  })
})

test('a client that says it is another pod is not sent the inbound listener of this one', () => {
  const client = open(new TestMesh())
  const node = { id: 'web-2.shop', userAgentName: 'weft', metadata: toStruct({ POD: 'web-2' }) }
  client.subscribe('listener', ['inbound/shop/web'], { node })
  expect(client.sent()).toEqual(['listener -inbound/shop/web'])
})

describe('which trust bundle a sidecar holds', () => {
  const sidecarNode = {
    id: 'web.shop',
    userAgentName: 'weft',
    metadata: toStruct({ WEFT: 'sidecar', POD: 'web' }),
  }
  const setUp = () => {
    const mesh = new TestMesh()
    const client = open(mesh)
    const bundle = () => client.stream.sidecar('cluster.local')?.bundle
    const ask = (rest: DeltaDiscoveryRequest = {}) => {
      client.subscribe('secret', [rootCaSecret], { node: sidecarNode, ...rest })
      return decode('envoy.service.discovery.v3.DeltaDiscoveryResponse', client.call.written.at(-1) as Buffer)
    }
    const answer = (errorDetail?: { message: string }) =>
      client.call.receive({
        typeUrl: typeUrls.secret,
        responseNonce: '1',
        ...(errorDetail === undefined ? {} : { errorDetail }),
      })
    return { mesh, client, bundle, ask, answer }
  }

  test('is the one that it has acknowledged, and not the one that is on its way', () => {
    const { mesh, bundle, ask, answer } = setUp()
    ask()
    expect(bundle()).toBeNull()
    answer()
    expect(bundle()).toBe(mesh.snapshot.trustBundle)
  })

  test('is not one that it refused', () => {
    const { bundle, ask, answer } = setUp()
    ask()
    answer({ message: 'no certificate in it' })
    expect(bundle()).toBeNull()
  })

  test('is the one that it brings from an earlier stream, if that is the present one', () => {
    const first = setUp()
    const version = first.ask().resources?.[0]?.version ?? ''
    const client = open(first.mesh)
    const initialResourceVersions = { [rootCaSecret]: version }
    client.subscribe('secret', [rootCaSecret], { node: sidecarNode, initialResourceVersions })
    expect(client.sent()).toEqual([])
    expect(client.stream.sidecar('cluster.local')?.bundle).toBe(first.mesh.snapshot.trustBundle)
  })
})

test('a client with more names than any workload has is told so and sent nothing more', () => {
  const mesh = new TestMesh()
  const client = open(mesh)
  client.subscribe('routeConfiguration', [apex])
  client.sent()
  client.subscribe(
    'cluster',
    Array.from({ length: 50_001 }, (_, i) => `n${i}`),
  )
  expect(client.call.refusals).toEqual([
    { code: status.RESOURCE_EXHAUSTED, details: 'too many subscriptions' },
  ])
  mesh.change(weights(1000, 1000))
  expect(client.sent()).toEqual([])
})

test('tells for the admin page who it is and what it follows', () => {
  const client = open(new TestMesh())
  client.subscribe('routeConfiguration', [apex])
  expect(client.stream.describe()).toMatchObject({
    node: 'web.shop',
    kind: 'sidecar',
    protocol: 'delta',
    subscriptions: { routeConfiguration: [apex], cluster: [] },
  })
})

describe('a gateway', () => {
  const [v1, v2, later] = ['catalog-v1', 'catalog-v2', 'later'].map(nameOf) as [string, string, string]
  const listenerOf = (destination: string) => `gateway/0.0.0.0:80/${destination}`
  /** Listens for a destination on one address. */
  function openGateway(destination = 'catalog.shop:8080', mesh = new TestMesh()) {
    const client = open(mesh)
    const metadata = toStruct({ 'weft.dev': { listeners: { '0.0.0.0:80': destination } } })
    const ask = (kind: ResourceKind, rest: DeltaDiscoveryRequest = {}): void =>
      client.subscribe(kind, [], { node: { id: 'g', metadata, userAgentName: 'envoy' }, ...rest })
    return { ...client, mesh, ask }
  }

  test.each([[[]], [['*']]])('gets everything it serves when it names %j', (names) => {
    const { ask, sent } = openGateway()
    ask('cluster', { resourceNamesSubscribe: names })
    ask('listener', { resourceNamesSubscribe: names })
    expect(sent()).toEqual([`cluster +${apex} +${v1} +${v2}`, `listener +${listenerOf('catalog.shop:8080')}`])
  })

  test('gets a cluster before the routes that lead to it, and loses one after those that did', () => {
    const { mesh, ask, subscribe, sent } = openGateway()
    ask('cluster')
    subscribe('routeConfiguration', [apex], { node: undefined })
    sent()
    mesh.change(service('later'), split('catalog', { later: 1 }))
    expect(sent()).toEqual([`cluster +${later}`, `routeConfiguration +${apex}`, `cluster -${v1} -${v2}`])
    mesh.change(weights(1, 0))
    expect(sent()).toEqual([`cluster +${v1} +${v2}`, `routeConfiguration +${apex}`, `cluster -${later}`])
  })

  test('is told the endpoints again with a cluster that changes, as it makes that anew', () => {
    const { mesh, ask, subscribe, sent } = openGateway()
    ask('cluster')
    subscribe('clusterLoadAssignment', [apex, v1], { node: undefined })
    sent()
    mesh.change(policy('p', 'catalog-v1', { outlierDetection: defaultOutlierDetection }))
    expect(sent()).toEqual([`cluster +${v1}`, `clusterLoadAssignment +${v1}`])
  })

  test('that comes back is sent what changed, and told what is no more', () => {
    const { ask, sent, mesh } = openGateway()
    const version = (name: string) => mesh.snapshot.get('cluster', name, 'envoy', 'shop')?.version ?? ''
    const initialResourceVersions = { [apex]: version(apex), [v1]: 'old', gone: 'some' }
    ask('cluster', { initialResourceVersions })
    expect(sent()).toEqual([`cluster +${v1} +${v2}`, 'cluster -gone'])
  })

  test('gets what it serves once the mesh has it', () => {
    const { ask, sent, mesh } = openGateway('later.shop:8080')
    ask('cluster')
    ask('listener')
    expect(sent()).toEqual([])
    mesh.change(service('later'))
    expect(sent()).toEqual([`cluster +${later}`, `listener +${listenerOf('later.shop:8080')}`])
    mesh.change(removed(service('later')))
    expect(sent()).toEqual([`listener -${listenerOf('later.shop:8080')}`, `cluster -${later}`])
  })

  test('whose metadata are wrong is named in the log, and gets the rest', () => {
    const { call, sent, mesh } = openGateway()
    const listeners = { '0.0.0.0:80': 'catalog.shop:8080', nowhere: 'catalog.shop:8080', '0.0.0.0:81': 7 }
    const metadata = toStruct({ 'weft.dev': { listeners } })
    call.receive({ node: { id: 'g', metadata, userAgentName: 'envoy' }, typeUrl: typeUrls.listener })
    expect(sent()).toEqual([`listener +${listenerOf('catalog.shop:8080')}`])
    expect(mesh.logLines.join()).toMatch(
      /RESOURCE_INVALID.*listeners\.nowhere.*|RESOURCE_INVALID.*0\.0\.0\.0:81/,
    )
  })

  test('is alone in that: a sidecar that names nothing gets nothing, and no gateway listener', () => {
    const mesh = new TestMesh()
    const { subscribe, sent } = open(mesh)
    subscribe('cluster', [])
    subscribe('cluster', ['*'])
    subscribe('listener', [listenerOf('catalog.shop:8080')])
    expect(sent()).toEqual([`listener -${listenerOf('catalog.shop:8080')}`])
  })
})
