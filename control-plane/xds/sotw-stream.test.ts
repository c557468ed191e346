import { status } from '@grpc/grpc-js'
import { describe, expect, test } from 'vitest'
import { decode } from '../../api/xds/codec.ts'
import { type ResourceKind, resourceKindOf, resourceNames, typeUrls } from '../../api/xds/type-urls.ts'
import { toStruct } from '../../api/xds/struct.ts'
import type { DiscoveryRequest, DiscoveryResponse } from '../../api/xds/types.ts'
import { policy, removed, service, slice, split } from '../model/test-objects.ts'
import { defaultOutlierDetection } from '../model/traffic-settings.ts'
import { type SotwCall, SotwStream } from './sotw-stream.ts'
import { nameOf, TestCall, TestMesh, web } from './test-streams.ts'

/** The kind and the names in one response, short enough to compare. */
function describeResponse({ typeUrl, resources }: DiscoveryResponse): string {
  const kind = resourceKindOf(typeUrl ?? '') as ResourceKind
  const names = (resources ?? []).map(({ value }) => {
    const message = decode(resourceNames[kind], value ?? new Uint8Array())
    return 'clusterName' in message ? message.clusterName : (message as { name?: string }).name
  })
  return [kind, ...names].join(' ')
}

/** A stock gRPC client on the insecure listener. */
function open(mesh = new TestMesh()) {
  const call = new TestCall<DiscoveryRequest, DiscoveryResponse>()
  mesh.add(new SotwStream(call as unknown as SotwCall, { identity: undefined, address: 'test' }, mesh))
  const nonces = new Map<ResourceKind, string>()
  const take = (): DiscoveryResponse[] => {
    const responses = call.written.splice(0)
    for (const { typeUrl, nonce } of responses)
      nonces.set(resourceKindOf(typeUrl ?? '') as ResourceKind, nonce ?? '')
    return responses
  }
  const sent = (): string[] => take().map(describeResponse)
  /** Asks, or answers the newest response that was taken. */
  const ask = (kind: ResourceKind, names: readonly string[], rest: DiscoveryRequest = {}): void =>
    call.receive({
      node: { id: 'app', userAgentName: 'gRPC Node Pure JS' },
      typeUrl: typeUrls[kind],
      resourceNames: names,
      responseNonce: nonces.get(kind) ?? '',
      ...rest,
    })
  return { mesh, call, ask, sent, take }
}

const [apex, v1, v2] = ['catalog', 'catalog-v1', 'catalog-v2'].map(nameOf) as [string, string, string]
const weights = (first: number, second: number) =>
  split('catalog', { 'catalog-v1': first, 'catalog-v2': second })

describe('a response carries all that the client asked for', () => {
  test('also when the names grow, and what it has did not change', () => {
    const { ask, sent } = open()
    ask('cluster', [v1])
    expect(sent()).toEqual([`cluster ${v1}`])
    ask('cluster', [v1, v2])
    expect(sent()).toEqual([`cluster ${v1} ${v2}`])
    ask('cluster', [v2])
    expect(sent()).toEqual([`cluster ${v2}`])
  })

  test('also when only one of the resources changed', () => {
    const { mesh, ask, sent } = open()
    ask('listener', [apex, nameOf('later')])
    expect(sent()).toEqual([`listener ${apex}`])
    mesh.change(service('later'))
    expect(sent()).toEqual([`listener ${apex} ${nameOf('later')}`])
    mesh.change(removed(service('later')))
    expect(sent()).toEqual([`listener ${apex}`])
  })

  test('and nothing that it did not ask for: no names, no resources', () => {
    const { mesh, ask, sent } = open()
    ask('cluster', [])
    expect(sent()).toEqual(['cluster'])
    ask('clusterLoadAssignment', [v1])
    expect(sent()).toEqual([`clusterLoadAssignment ${v1}`])
    mesh.change(slice('catalog-v2', [{ address: '10.0.0.9' }]), service('later'))
    expect(sent()).toEqual([])
  })
})

test('a cluster whose service goes is emptied and not taken away: a gRPC client would never take it back', () => {
  const { mesh, ask, sent, take } = open()
  ask('cluster', [v2])
  ask('clusterLoadAssignment', [v2])
  sent()
  mesh.change(removed(service('catalog-v2')))
  const [assignment, ...others] = take()
  expect(others).toEqual([])
  const { value = Buffer.of() } = assignment?.resources?.[0] ?? {}
  expect(decode(resourceNames.clusterLoadAssignment, value)).toEqual({ clusterName: v2 })
})

test('changes come as clusters, endpoints, listeners, routes', () => {
  const { mesh, ask, sent } = open()
  for (const kind of ['routeConfiguration', 'listener', 'clusterLoadAssignment', 'cluster'] as const)
    ask(kind, [nameOf('later'), ...(kind === 'cluster' ? [apex] : [])])
  sent()
  mesh.change(service('later'), slice('later', [{ address: '10.0.0.4' }]))
  expect(sent()).toEqual(
    ['clusterLoadAssignment', 'listener', 'routeConfiguration'].map((kind) => `${kind} ${nameOf('later')}`),
  )
})

describe('answers', () => {
  test('an answer to an older response says nothing about the present', () => {
    const { mesh, ask, sent } = open()
    ask('routeConfiguration', [apex])
    sent()
    mesh.change(weights(1000, 1000))
    sent()
    ask('routeConfiguration', [v1], { responseNonce: '1' })
    ask('routeConfiguration', [v1], { responseNonce: '1', errorDetail: { code: 3, message: 'no' } })
    expect(sent()).toEqual([])
    expect(mesh.stats).toMatchObject({ acks: 0, nacks: 0 })
    ask('routeConfiguration', [v1], { responseNonce: '2' })
    expect(sent()).toEqual([`routeConfiguration ${v1}`])
    expect(mesh.stats).toMatchObject({ acks: 1, nacks: 0 })
  })

  test('what is refused is logged and counted, and not sent again before it changes', () => {
    const { mesh, ask, sent } = open()
    ask('routeConfiguration', [apex])
    sent()
    ask('routeConfiguration', [apex], { errorDetail: { code: 14, message: 'routes[0]: no' } })
    mesh.push(new Set(['service:shop/catalog']))
    expect(sent()).toEqual([])
    expect(mesh.stats).toMatchObject({ acks: 0, nacks: 1 })
    expect(mesh.logLines.join()).toMatch(/RESOURCE_REJECTED.*routes\[0\]: no/)
    mesh.change(weights(1000, 1000))
    expect(sent()).toEqual([`routeConfiguration ${apex}`])
  })
})

test('a client that does not read is sent the newest state once when it reads again', () => {
  const { mesh, call, ask, sent, take } = open()
  call.reads = false
  ask('cluster', [v1])
  sent()
  ask('routeConfiguration', [apex])
  for (let first = 1; first <= 100; first++) mesh.change(weights(first * 1000, 1000))
  for (let i = 0; i < 100; i++) ask('cluster', i % 2 === 0 ? [v1, v2] : [v2])
  expect(sent()).toEqual([])
  call.readAgain()
  const responses = take()
  expect(responses.map(describeResponse)).toEqual([`cluster ${v2}`, `routeConfiguration ${apex}`])
  expect(responses[1]?.resources?.[0]?.value).toEqual(
    mesh.snapshot.get('routeConfiguration', apex, 'grpc', '')?.bytes,
  )
})

test("a workload's inbound listener is for its sidecar alone", () => {
  const { ask, sent } = open()
  ask('listener', ['inbound/shop/web', apex])
  expect(sent()).toEqual([`listener ${apex}`])
})

test('a client with more names than any workload has is told so and sent nothing more', () => {
  const { call, ask, sent } = open()
  ask(
    'cluster',
    Array.from({ length: 50_001 }, (_, i) => `n${i}`),
  )
  expect(call.refusals).toEqual([{ code: status.RESOURCE_EXHAUSTED, details: 'too many subscriptions' }])
  ask('cluster', [v1])
  expect(sent()).toEqual([])
})

test('a type that is not served gets no answer', () => {
  const { call, sent } = open()
  call.receive({ typeUrl: 'type.googleapis.com/x.Unknown', resourceNames: ['a'] })
  expect(sent()).toEqual([])
})

describe('a gateway', () => {
  /** Listens for the apex on one address, on a stream of its own. */
  function openGateway() {
    const mesh = new TestMesh()
    const call = new TestCall<DiscoveryRequest, DiscoveryResponse>()
    mesh.add(new SotwStream(call as unknown as SotwCall, { identity: web, address: 'test' }, mesh))
    const metadata = toStruct({ 'weft.dev': { listeners: { '0.0.0.0:80': 'catalog.shop:8080' } } })
    const ask = (kind: ResourceKind, names: readonly string[] = []): void =>
      call.receive({ node: { id: 'g', metadata }, typeUrl: typeUrls[kind], resourceNames: names })
    const sent = (): string[] => call.written.splice(0).map(describeResponse)
    return { mesh, ask, sent }
  }

  test('is sent a listener for each address, and the clusters that these lead to, without naming any', () => {
    const { ask, sent } = openGateway()
    ask('cluster')
    ask('listener')
    expect(sent()).toEqual([`cluster ${apex} ${v1} ${v2}`, 'listener gateway/0.0.0.0:80/catalog.shop:8080'])
  })

  test('gets a cluster before the routes that lead to it, and loses one after those that did', () => {
    const { mesh, ask, sent } = openGateway()
    ask('cluster')
    ask('routeConfiguration', [apex])
    sent()
    mesh.change(service('later'), split('catalog', { later: 1 }))
    expect(sent()).toEqual([
      `cluster ${apex} ${nameOf('later')} ${v1} ${v2}`,
      `routeConfiguration ${apex}`,
      `cluster ${apex} ${nameOf('later')}`,
    ])
  })

  test('is told the endpoints again with a cluster that changes, as it makes that anew', () => {
    const { mesh, ask, sent } = openGateway()
    ask('cluster')
    ask('clusterLoadAssignment', [apex, v1])
    sent()
    mesh.change(policy('p', 'catalog-v1', { outlierDetection: defaultOutlierDetection }))
    expect(sent()).toEqual([`cluster ${apex} ${v1} ${v2}`, `clusterLoadAssignment ${apex} ${v1}`])
  })
})

test('a client in clear gets nothing by leaving the names out, whatever it says it is', () => {
  const mesh = new TestMesh()
  const call = new TestCall<DiscoveryRequest, DiscoveryResponse>()
  mesh.add(new SotwStream(call as unknown as SotwCall, { identity: undefined, address: 'test' }, mesh))
  const metadata = toStruct({ 'weft.dev': { listeners: { '0.0.0.0:80': 'catalog.shop:8080' } } })
  call.receive({ node: { id: 'g', metadata, userAgentName: 'envoy' }, typeUrl: typeUrls.listener })
  expect(call.written.map(describeResponse)).toEqual(['listener'])
})
