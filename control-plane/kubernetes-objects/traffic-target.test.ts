import { expect, test } from 'vitest'
import { convertObject } from './convert.ts'

const destination = { kind: 'ServiceAccount', name: 'web' }
const rules = [{ kind: 'HTTPRouteGroup', name: 'routes', matches: ['m'] }]
const sources = [{ kind: 'ServiceAccount', name: 'client', namespace: 'other' }]

function convert(version: string, body: object, annotations: object = {}) {
  return convertObject({
    apiVersion: `access.smi-spec.io/${version}`,
    kind: 'TrafficTarget',
    metadata: { name: 't', namespace: 'shop', annotations },
    ...body,
  })
}

const wanted = {
  destination: { kind: 'ServiceAccount', namespace: 'shop', name: 'web' },
  port: undefined,
  rules,
  sources,
}
const kept = (text: string): object => ({ 'weft.dev/v1alpha2-destination-port': text })

test.each<[string, object, object, number | undefined]>([
  ['v1alpha1', { destination: { ...destination, port: '8080' }, specs: rules, sources }, {}, 8080],
  ['v1alpha2', { spec: { destination: { ...destination, port: 8080 }, rules, sources } }, {}, 8080],
  ['v1alpha3', { spec: { destination, rules, sources } }, {}, undefined],
  ['v1alpha4', { spec: { destination, rules, sources } }, kept('8080'), 8080],
  ['v1alpha4', { spec: { destination, rules, sources } }, kept('"8080"'), 8080],
])('%s is read', (version, body, annotations, port) => {
  expect(convert(version, body, annotations)).toMatchObject({
    outcome: 'converted',
    change: { kind: 'trafficTarget', key: 'shop/t', value: { ...wanted, port } },
  })
})

test('a port that cannot be read allows no other one', () => {
  const spec = { destination, rules, sources }
  expect(convert('v1alpha4', { spec }, kept('http'))).toMatchObject({ outcome: 'refused' })
})

const binding = { kind: 'IdentityBinding', namespace: 'shop', name: 'b' }

test.each([
  ['v1alpha4', { kind: 'IdentityBinding', group: 'access.smi-spec.io', name: 'b' }],
  // As the versions before have it, whose file somebody may have kept.
  ['v1alpha3', { kind: 'ServiceAccount', name: 'access.smi-spec.io/IdentityBinding/b' }],
  ['v1alpha2', { kind: 'ServiceAccount', name: 'IdentityBinding/b' }],
])('an IdentityBinding is known as one in %s', (version, identity) => {
  const spec = { destination: identity, rules, sources: [identity] }
  expect(convert(version, { spec })).toMatchObject({
    change: { value: { destination: binding, sources: [binding] } },
  })
})
