import { expect, test } from 'vitest'
import type { AccessRule, IdentityBinding, IdentityReference, TrafficTarget } from './access-policy.ts'
import { portAccess } from './access.ts'
import { identityBindingConditions, trafficTargetConditions } from './access-status.ts'
import { MeshModel } from './mesh-model.ts'
import type { Change, Workload } from './objects.ts'
import { removed, routeGroup, workload } from './test-objects.ts'

const bound = (name: string, namespace = 'shop'): IdentityReference => ({
  kind: 'IdentityBinding',
  namespace,
  name,
})

function binding(
  name: string,
  facts: Partial<IdentityBinding>,
): Change & { readonly value: IdentityBinding } {
  const nothing = { podLabels: [], spiffeIds: [], serviceAccount: undefined }
  const value: IdentityBinding = { namespace: 'shop', name, ...nothing, ...facts }
  return { kind: 'identityBinding', key: `${value.namespace}/${name}`, value }
}

function target(facts: Partial<TrafficTarget> = {}): Change & { readonly value: TrafficTarget } {
  const value: TrafficTarget = {
    namespace: 'shop',
    name: 't',
    destination: { kind: 'ServiceAccount', namespace: 'shop', name: 'api' },
    port: undefined,
    rules: [{ kind: 'HTTPRouteGroup', name: 'routes', matches: undefined }],
    sources: [bound('clients')],
    ...facts,
  }
  return { kind: 'trafficTarget', key: 'shop/t', value }
}

function setUp(...changes: readonly Change[]) {
  const model = new MeshModel()
  model.apply([
    workload('api', { labels: { app: 'api' } }),
    routeGroup('routes', { name: 'all' }),
    ...changes,
  ])
  return {
    model,
    access: (pod = 'api') =>
      portAccess(model, model.workload(`shop/${pod}`) as Workload, { listen: 8080, application: 8080 }),
  }
}

/** `account`, or `account@addresses`. */
function clients(rules: readonly AccessRule[]): readonly string[] {
  return rules.flatMap(({ from }) =>
    from.flatMap(({ serviceAccounts, cidrs }) =>
      serviceAccounts.map(
        ({ namespace, name }) =>
          `${namespace}/${name}${cidrs.map(({ address, prefixLength }) => `@${address}/${prefixLength}`).join('')}`,
      ),
    ),
  )
}

test.each<[string, Partial<IdentityBinding>]>([
  ['its ServiceAccount', { serviceAccount: 'api' }],
  ['its SPIFFE id', { spiffeIds: ['spiffe://cluster.local/ns/shop/sa/api'] }],
  ['labels of its pod', { podLabels: [{ app: 'none' }, { app: 'api' }] }],
])('a destination that a binding means by %s denies whom its targets do not allow', (_, facts) => {
  const { model, access } = setUp(workload('other'), binding('b', facts))
  model.apply([target({ destination: bound('b') })])
  expect(access().verdict).toEqual({ allows: false, name: 'traffictarget/shop/t/default' })
  expect(access('other').verdict).toBeUndefined()
  model.apply([removed(binding('b', facts))])
  expect(access().verdict).toBeUndefined()
  const [condition] = trafficTargetConditions(model, target({ destination: bound('b') }).value)
  expect(condition).toMatchObject({ reason: 'TargetNotFound', message: "there is no IdentityBinding 'b'" })
})

test('a binding of another namespace makes nobody a destination', () => {
  const facts = { namespace: 'other', serviceAccount: 'api' }
  const { access } = setUp(binding('b', facts), target({ destination: bound('b', 'other') }))
  expect(access().verdict).toBeUndefined()
})

test('clients are those that a binding means, whatever namespace it is of, and not those whom it may not speak of', () => {
  const { model, access } = setUp(
    binding('clients', {
      namespace: 'ops',
      spiffeIds: [
        'spiffe://cluster.local/ns/ops/sa/scraper',
        'spiffe://cluster.local/ns/shop/sa/admin',
        'spiffe://other.test/ns/ops/sa/scraper2',
      ],
    }),
    target({ sources: [bound('clients', 'ops')] }),
  )
  expect(clients(access().rules)).toEqual(['ops/scraper'])
  const { value } = binding('clients', {
    namespace: 'ops',
    spiffeIds: ['spiffe://cluster.local/ns/shop/sa/admin'],
  })
  expect(identityBindingConditions(model, value)[1]).toMatchObject({
    status: 'False',
    reason: 'IdentityNotFound',
  })
})

test('pods by their labels are known by their ServiceAccount, and by their address where others share it', () => {
  const { model, access } = setUp(
    workload('web-1', { serviceAccount: 'web', labels: { app: 'web' }, addresses: ['10.0.0.1', 'fd00::1'] }),
    binding('clients', { podLabels: [{ app: 'web' }] }),
    target(),
  )
  expect(clients(access().rules)).toEqual(['shop/web'])
  const other = workload('web-2', { serviceAccount: 'web', addresses: ['10.0.0.2'] })
  const dirty = model.apply([other])
  expect(clients(access().rules)).toEqual(['shop/web@10.0.0.1/32@fd00::1/128'])
  expect([...dirty.workloads]).toContain('shop/api')
  model.apply([workload('web-1', { serviceAccount: 'web', labels: { app: 'web' } })])
  // Nothing tells them apart: nobody is allowed anything, and it is said.
  expect(access()).toMatchObject({ verdict: { allows: false }, rules: [] })
  expect(trafficTargetConditions(model, target().value)[1]).toMatchObject({ reason: 'IdentityNotFound' })
  const { value } = binding('clients', { podLabels: [{ app: 'web' }] })
  expect(identityBindingConditions(model, value)[1]?.message).toContain("pod 'web-1' shares")
})

test('a pod touches those whom it may call only where it changes who is meant', () => {
  const web = (name: string): Change =>
    workload(name, { namespace: 'ops', serviceAccount: 'web', labels: { app: 'web' } })
  const { model } = setUp(
    { ...web('web-1'), key: 'ops/web-1' } as Change,
    binding('clients', { namespace: 'ops', podLabels: [{ app: 'web' }] }),
    target({ sources: [bound('clients', 'ops')] }),
  )
  model.apply([{ ...web('web-2'), key: 'ops/web-2' } as Change])
  expect([...model.apply([{ ...web('web-3'), key: 'ops/web-3' } as Change]).workloads]).toEqual(['ops/web-3'])
  const stranger = workload('x', { namespace: 'ops', serviceAccount: 'web', addresses: ['10.0.0.9'] })
  const dirty = model.apply([{ ...stranger, key: 'ops/x' } as Change])
  expect([...dirty.workloads].toSorted()).toContain('shop/api')
})
