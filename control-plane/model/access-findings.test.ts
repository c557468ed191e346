import { expect, test } from 'vitest'
import { accessSummary } from './access-findings.ts'
import type { AccessPolicy, AccessRule, AccessSource } from './access-policy.ts'
import { MeshModel } from './mesh-model.ts'
import type { Change } from './objects.ts'
import { service, slice, workload } from './test-objects.ts'

const nobody: AccessSource = { principals: [], serviceAccounts: [], namespaces: [], cidrs: [] }
const allow = (from: readonly AccessSource[] = []): AccessRule => ({
  name: 'r',
  action: 'allow',
  from,
  to: [],
})

function policy(name: string, facts: Partial<AccessPolicy>): Change {
  const value: AccessPolicy = {
    namespace: 'shop',
    name,
    targets: [{ kind: 'namespace' }],
    mtls: undefined,
    mtlsOfPorts: [],
    verdict: undefined,
    rules: [],
    ...facts,
  }
  return { kind: 'accessPolicy', key: `shop/${name}`, value }
}

/** `web` is behind a Service, `client` is not. */
function found(...changes: readonly Change[]): readonly string[] {
  const model = new MeshModel()
  model.apply([
    workload('web'),
    workload('client'),
    service('web'),
    slice('web', [{ address: '10.1.0.1', workload: 'shop/web' }]),
    ...changes,
  ])
  return accessSummary(model).findings.map(({ code, object, message }) => `${code} ${object}: ${message}`)
}

test('policies that let somebody in, and say it of pods that there are, are well', () => {
  const from = [{ ...nobody, serviceAccounts: [{ namespace: 'shop', name: 'client' }], namespaces: ['shop'] }]
  expect(found(policy('p', { rules: [allow(from)] }))).toEqual([])
})

test.each<[string, Partial<AccessSource>, string]>([
  [
    'a ServiceAccount',
    { serviceAccounts: [{ namespace: 'shop', name: 'wbe' }] },
    "ServiceAccount 'shop/wbe'",
  ],
  ['a namespace', { namespaces: ['shpo'] }, "namespace 'shpo'"],
  ['an id', { principals: ['spiffe://cluster.local/ns/shop/sa/wbe'] }, "ServiceAccount 'shop/wbe'"],
  ['an id of another mesh', { principals: ['spiffe://other.test/ns/shop/sa/web'] }, 'another trust domain'],
])('%s that is nobody is told', (_, source, told) => {
  const [finding, ...more] = found(policy('p', { rules: [allow([{ ...nobody, ...source }])] }))
  expect(more).toEqual([])
  expect(finding).toMatch(/^ACCESS_CLIENT_UNKNOWN AccessPolicy shop\/p: rule 'r': /)
  expect(finding).toContain(told)
})

test('a policy about no pod is told, also where its namespace is empty', () => {
  expect(
    found(policy('p', { targets: [{ kind: 'serviceAccount', name: 'wbe' }], verdict: 'allow' })),
  ).toEqual(["ACCESS_TARGET_UNKNOWN AccessPolicy shop/p: no pod runs as ServiceAccount 'wbe'"])
  const empty = new MeshModel()
  empty.apply([policy('p', { verdict: 'deny' })])
  expect(accessSummary(empty).findings.map(({ message }) => message)).toEqual(['it is about no pod'])
})

test('a port of a Service that nobody may call is told, by what denies it', () => {
  expect(found(policy('p', { verdict: 'deny' }))).toEqual([
    'ACCESS_NOBODY_ALLOWED AccessPolicy shop/p: nobody may call shop/web:9090, by accesspolicy/shop/p/default',
  ])
  const denyAll: AccessRule = { ...allow(), name: 'shut', action: 'deny' }
  expect(found(policy('p', { rules: [allow(), denyAll] }))).toEqual([
    'ACCESS_NOBODY_ALLOWED AccessPolicy shop/p: nobody may call shop/web:9090, by accesspolicy/shop/p/shut',
  ])
})

test('policies that differ and are as close are told, those of which one is closer are not', () => {
  const differing = found(policy('a', { mtls: 'strict' }), policy('b', { mtls: 'permissive' }))
  expect(differing).toEqual([
    expect.stringMatching(
      /^ACCESS_CONTRADICTED AccessPolicy shop\/a: .*a\/mtls, accesspolicy\/shop\/b\/mtls/,
    ),
  ])
  const closer = policy('b', { targets: [{ kind: 'serviceAccount', name: 'web' }], mtls: 'permissive' })
  expect(found(policy('a', { mtls: 'strict' }), closer)).toEqual([])
})

test('workloads that take mesh mTLS only are named', () => {
  const model = new MeshModel()
  const target = [{ kind: 'serviceAccount', name: 'web' }] as const
  model.apply([workload('web'), workload('client'), policy('a', { targets: target, mtls: 'strict' })])
  expect(accessSummary(model).strict).toEqual(['shop/web'])
})

test('a denial by identity is told where clients in clear, who have none, may come', () => {
  const from = [{ ...nobody, serviceAccounts: [{ namespace: 'shop', name: 'client' }] }]
  const rules: readonly AccessRule[] = [{ ...allow(from), action: 'deny' }]
  expect(found(policy('p', { rules }))).toEqual([
    expect.stringMatching(/^ACCESS_DENIAL_AVOIDABLE AccessPolicy shop\/p: .*shop\/web:8080/),
  ])
  expect(found(policy('p', { rules, mtls: 'strict' }))).toEqual([])
})
