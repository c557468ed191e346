import { expect, test } from 'vitest'
import type { AccessPolicy, AccessTarget, TrafficTarget } from './access-policy.ts'
import { portAccess } from './access.ts'
import { trafficTargetConditions, accessPolicyConditions } from './access-status.ts'
import { MeshModel } from './mesh-model.ts'
import type { Change, Workload } from './objects.ts'
import { namespaceShop, routeGroup, service, slice, workload } from './test-objects.ts'

const ownNamespace: AccessTarget = { kind: 'namespace' }

function policy(
  name: string,
  facts: Partial<AccessPolicy>,
): Extract<Change, { kind: 'accessPolicy' }> & {
  readonly value: AccessPolicy
} {
  const value: AccessPolicy = {
    namespace: 'shop',
    name,
    targets: [ownNamespace],
    mtls: undefined,
    mtlsOfPorts: [],
    verdict: undefined,
    rules: [],
    ...facts,
  }
  return { kind: 'accessPolicy', key: `${value.namespace}/${name}`, value }
}

const allowAll = { name: 'r', action: 'allow', from: [], to: [] } as const

function setUp(...changes: readonly Change[]) {
  const model = new MeshModel()
  model.apply([workload('web', { labels: { app: 'web' } }), ...changes])
  const access = (port?: number) => {
    const at = port === undefined ? undefined : { listen: port, application: port }
    return portAccess(model, model.workload('shop/web') as Workload, at)
  }
  return { model, access }
}

test('what is said more closely counts: mesh, namespace, workload, port', () => {
  const { model, access } = setUp()
  expect(access(8080)).toEqual({ strict: undefined, verdict: undefined, rules: [] })
  const steps: readonly (readonly [Change, string | undefined])[] = [
    [
      policy('mesh', { namespace: 'weft', targets: [{ kind: 'mesh' }], mtls: 'strict' }),
      'accesspolicy/weft/mesh/mtls',
    ],
    [policy('space', { mtls: 'permissive' }), undefined],
    [
      policy('pods', { targets: [{ kind: 'pods', labels: { app: 'web' } }], mtls: 'strict' }),
      'accesspolicy/shop/pods/mtls',
    ],
    [
      policy('port', {
        targets: [{ kind: 'serviceAccount', name: 'web' }],
        mtlsOfPorts: [{ port: 8080, mode: 'permissive' }],
      }),
      undefined,
    ],
  ]
  for (const [change, strict] of steps) {
    model.apply([change])
    expect(access(8080).strict).toBe(strict)
  }
  expect(access(9090).strict, 'other ports').toBe('accesspolicy/shop/pods/mtls')
  expect(access().strict, 'ports that nobody has named').toBe('accesspolicy/shop/pods/mtls')
})

test('of two that speak as closely the stricter one counts', () => {
  const { access } = setUp(
    policy('a', { mtls: 'permissive', verdict: 'allow' }),
    policy('b', { mtls: 'strict', verdict: 'deny' }),
    policy('c', { mtls: 'permissive', verdict: 'allow' }),
  )
  expect(access(8080)).toMatchObject({
    strict: 'accesspolicy/shop/b/mtls',
    verdict: { allows: false, name: 'accesspolicy/shop/b/default' },
  })
})

test('annotations of pods and namespaces are one way to say it', () => {
  const { model, access } = setUp(namespaceShop({ inboundPolicy: 'all-authenticated' }))
  expect(access(8080).strict).toBe('annotation/shop/default-inbound-policy')
  model.apply([workload('web', { inboundPolicy: 'all-unauthenticated' })])
  expect(access(8080).strict).toBeUndefined()
  model.apply([workload('web', { inboundPolicy: 'all-authenticated' }), namespaceShop()])
  expect(access(8080).strict).toBe('annotation/shop/web/default-inbound-policy')
})

test('who allows something means that the rest is not, unless it says otherwise', () => {
  const { model, access } = setUp(policy('p', { rules: [allowAll] }))
  expect(access(8080).verdict).toEqual({ allows: false, name: 'accesspolicy/shop/p/default' })
  expect(access(8080).rules.map(({ name }) => name)).toEqual(['accesspolicy/shop/p/r'])
  model.apply([policy('p', { rules: [allowAll], verdict: 'allow' })])
  expect(access(8080).verdict).toEqual({ allows: true, name: 'accesspolicy/shop/p/default' })
  model.apply([policy('p', { rules: [{ ...allowAll, action: 'deny' }] })])
  expect(access(8080).verdict).toBeUndefined()
})

test('a Service stands for the pods behind it; its port for the port that they have for it', () => {
  const target = (port?: number): AccessTarget => ({
    kind: 'service',
    name: 'web',
    port: port === undefined ? undefined : { number: port },
  })
  const { model, access } = setUp(
    service('web'),
    slice('web', [{ address: '10.1.0.1', workload: 'shop/web' }]),
    policy('p', { targets: [target()], verdict: 'deny' }),
  )
  expect([access(9090).verdict?.allows, access(1).verdict?.allows]).toEqual([false, false])
  model.apply([policy('p', { targets: [target(8080)], verdict: 'deny' })])
  expect([access(9090).verdict?.allows, access(1).verdict, access().verdict]).toEqual([
    false,
    undefined,
    undefined,
  ])
})

test('policies of other namespaces say nothing, even about the mesh', () => {
  const { access } = setUp(
    policy('p', { namespace: 'other', verdict: 'deny' }),
    policy('q', { namespace: 'other', targets: [{ kind: 'mesh' }], verdict: 'deny' }),
  )
  expect(access(8080).verdict).toBeUndefined()
})

test('a change touches the workloads that it may be about', () => {
  const { model } = setUp()
  model.apply([workload('api', { namespace: 'other' })])
  expect([...model.apply([policy('p', { verdict: 'deny' })]).workloads]).toEqual(['shop/web'])
  const mesh = policy('m', { namespace: 'weft', targets: [{ kind: 'mesh' }], verdict: 'deny' })
  expect([...model.apply([mesh]).workloads].toSorted()).toEqual(['shop/api', 'shop/web'])
  expect([...model.apply([{ ...mesh, value: undefined }]).workloads]).toHaveLength(2)
})

function target(
  name: string,
  facts: Partial<TrafficTarget> = {},
): Change & { readonly value: TrafficTarget } {
  const value: TrafficTarget = {
    namespace: 'shop',
    name,
    destination: { kind: 'ServiceAccount', namespace: 'shop', name: 'web' },
    port: undefined,
    rules: [{ kind: 'HTTPRouteGroup', name: 'routes', matches: undefined }],
    sources: [{ kind: 'ServiceAccount', namespace: 'shop', name: 'client' }],
    ...facts,
  }
  return { kind: 'trafficTarget', key: `${value.namespace}/${name}`, value }
}

const routes = routeGroup('routes', { name: 'm0', pathRegex: '/items' }, { name: 'm1', methods: ['GET'] })
const tcp = (name: string, ports: readonly number[]): Change => ({
  kind: 'tcpRoute',
  key: `shop/${name}`,
  value: { namespace: 'shop', name, ports },
})

test('a TrafficTarget allows its sources the matches of its groups, and nobody anything else', () => {
  const { model, access } = setUp(routes, target('t'))
  const { verdict, rules } = access(8080)
  expect(verdict).toEqual({ allows: false, name: 'traffictarget/shop/t/default' })
  expect(rules).toMatchObject([
    {
      name: 'traffictarget/shop/t',
      action: 'allow',
      from: [{ serviceAccounts: [{ namespace: 'shop', name: 'client' }] }],
      to: [{ paths: [{ kind: 'regex', value: '(?:/items).*' }] }, { paths: [], methods: ['GET'] }],
    },
  ])
  model.apply([target('t', { rules: [{ kind: 'HTTPRouteGroup', name: 'routes', matches: ['m1'] }] })])
  expect(access(8080).rules[0]?.to).toMatchObject([{ methods: ['GET'] }])
})

test('its ports are those of its TCPRoutes, or the one that its destination had in older versions', () => {
  const rules = (...names: readonly string[]): TrafficTarget['rules'] =>
    names.map((name) => ({
      kind: name === 'routes' ? 'HTTPRouteGroup' : 'TCPRoute',
      name,
      matches: undefined,
    }))
  const { model, access } = setUp(routes, tcp('some', [8080, 9090]), tcp('all', []))
  const portsOf = (facts: Partial<TrafficTarget>): readonly (readonly number[])[] => {
    model.apply([target('t', facts)])
    return access(8080).rules.flatMap(({ to }) => to.map(({ ports }) => ports))
  }
  expect(portsOf({ rules: rules('some') })).toEqual([[8080, 9090]])
  expect(portsOf({ rules: rules('all') })).toEqual([[]])
  expect(portsOf({ rules: rules('some', 'routes') })).toEqual([
    [8080, 9090],
    [8080, 9090],
  ])
  expect(portsOf({ rules: rules('routes'), port: 8080 })).toEqual([[8080], [8080]])
  expect(portsOf({ rules: rules('some'), port: 9090 })).toEqual([[9090]])
  expect(portsOf({ rules: rules('some'), port: 1 })).toEqual([])
})

test.each<[string, Partial<TrafficTarget>, string]>([
  [
    'routes that are missing',
    { rules: [{ kind: 'TCPRoute', name: 'none', matches: undefined }] },
    'RouteNotFound',
  ],
  [
    'sources that are nobody',
    {
      sources: [
        { kind: 'IdentityBinding', namespace: 'shop', name: 'gone' },
        { kind: 'User', namespace: 'shop', name: 'root' },
      ],
    },
    'IdentityNotFound',
  ],
])('%s allow nothing, and the rest stays denied', (_, facts, reason) => {
  const { model, access } = setUp(routes, target('t', facts))
  expect(access(8080)).toMatchObject({ verdict: { allows: false }, rules: [] })
  expect(trafficTargetConditions(model, target('t', facts).value)[1]).toMatchObject({
    status: 'False',
    reason,
  })
})

test('a TrafficTarget is about nobody of another namespace', () => {
  const facts = {
    namespace: 'other',
    destination: { kind: 'ServiceAccount', namespace: 'shop', name: 'web' },
  }
  const { model, access } = setUp(routes, target('t', facts))
  expect(access(8080).verdict).toBeUndefined()
  expect(trafficTargetConditions(model, target('t', facts).value)[0]?.reason).toBe('RefNotPermitted')
})

test('a group that changes touches the workloads of the targets that use it', () => {
  const { model } = setUp(routes, target('t'))
  expect([...model.apply([routeGroup('routes', { name: 'm1' })]).workloads]).toEqual(['shop/web'])
})

test('a policy says which of its targets are nobody', () => {
  const targets: readonly AccessTarget[] = [
    { kind: 'service', name: 'gone', port: undefined },
    { kind: 'pods', labels: { app: 'none' } },
    { kind: 'serviceAccount', name: 'nobody' },
    { kind: 'serviceAccount', name: 'web' },
  ]
  const { value } = policy('p', { targets })
  const { model } = setUp(policy('p', { targets }))
  const [condition] = accessPolicyConditions(model, value)
  expect(condition).toMatchObject({ type: 'Accepted', status: 'False', reason: 'TargetNotFound' })
  expect(condition?.message).toMatch(/'gone'.*app=none.*'nobody'.*other targets/)
  const fine = { ...value, targets: [ownNamespace, { kind: 'pods', labels: { app: 'web' } } as const] }
  expect(accessPolicyConditions(model, fine)[0]?.status).toBe('True')
})
