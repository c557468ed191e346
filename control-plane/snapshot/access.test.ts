import { expect, test } from 'vitest'
import { unpackAs } from '../../api/xds/codec.ts'
import type { PortAccess } from '../model/access.ts'
import type { AccessRule } from '../model/access-policy.ts'
import { httpAccessFilters, networkAccessFilters } from './access.ts'

const rule = (name: string, action: AccessRule['action'], facts: Partial<AccessRule> = {}): AccessRule => ({
  name,
  action,
  from: [],
  to: [],
  ...facts,
})
const nobody = { principals: [], serviceAccounts: [], namespaces: [], cidrs: [] }
const nothing = { ports: [], paths: [], methods: [], headers: [] }
const silent: PortAccess = { strict: undefined, verdict: undefined, rules: [] }

function filters(access: Partial<PortAccess>) {
  return httpAccessFilters({ ...silent, ...access }, 'cluster.local').map(({ name, typedConfig }) => ({
    name,
    ...unpackAs('envoy.extensions.filters.http.rbac.v3.RBAC', typedConfig),
  }))
}

test('nobody says anything: there is no filter', () => {
  expect(filters({})).toEqual([])
})

test('what is told of, denied and allowed comes in this order, and what is not allowed is denied by name', () => {
  const rules = [rule('a', 'allow'), rule('t', 'audit'), rule('d', 'deny')]
  const verdict = { allows: false, name: 'accesspolicy/shop/p/default' }
  expect(filters({ rules, verdict, strict: 'accesspolicy/shop/p/mtls' })).toMatchObject([
    { name: 'envoy.filters.http.rbac.log', rules: { action: 'LOG', policies: { t: {} } } },
    {
      name: 'envoy.filters.http.rbac.deny',
      rules: {
        action: 'DENY',
        policies: {
          d: {},
          'accesspolicy/shop/p/mtls': { principals: [{ notId: { authenticated: {} } }] },
        },
      },
    },
    {
      name: 'envoy.filters.http.rbac.allow',
      rules: { policies: { a: {} } },
      rulesStatPrefix: 'accesspolicy/shop/p/default',
    },
  ])
})

test('where everything else is allowed, a policy says so', () => {
  const [filter] = filters({ verdict: { allows: true, name: 'default' } })
  expect(filter?.rules?.policies).toMatchObject({
    default: { permissions: [{ any: true }], principals: [{ any: true }] },
  })
})

test('who and what a rule means is written as Envoy has it', () => {
  const to = {
    ports: [8080, 9090],
    paths: [
      { kind: 'below', value: '/x' },
      { kind: 'regex', value: '/y.*' },
    ],
    methods: ['GET'],
    headers: [{ name: 'x-a', value: 'b', regex: false }],
  } as const
  const from = {
    ...nobody,
    principals: ['spiffe://td/*', '*/web', '*', 'spiffe://td/exact'],
    serviceAccounts: [{ namespace: 'shop', name: 'web' }],
    namespaces: ['other'],
    cidrs: [{ address: '10.0.0.0', prefixLength: 8 }],
  }
  const verdict = { allows: false, name: '' }
  const [filter] = filters({ rules: [rule('r', 'allow', { from: [from], to: [to] })], verdict })
  const named = (principalName: object): object => ({ authenticated: { principalName } })
  expect(filter?.rules?.policies?.['r']).toMatchObject({
    permissions: [
      {
        andRules: {
          rules: [
            { orRules: { rules: [{ destinationPort: 8080 }, { destinationPort: 9090 }] } },
            {
              orRules: {
                rules: [
                  { urlPath: { path: { exact: '/x' } } },
                  { urlPath: { path: { prefix: '/x/' } } },
                  { urlPath: { path: { safeRegex: { regex: '/y.*' } } } },
                ],
              },
            },
            { header: { name: ':method', stringMatch: { exact: 'GET' } } },
            { header: { name: 'x-a', stringMatch: { exact: 'b' } } },
          ],
        },
      },
    ],
    principals: [
      {
        andIds: {
          ids: [
            {
              orIds: {
                ids: [
                  named({ prefix: 'spiffe://td/' }),
                  named({ suffix: '/web' }),
                  { authenticated: {} },
                  named({ exact: 'spiffe://td/exact' }),
                  named({ exact: 'spiffe://cluster.local/ns/shop/sa/web' }),
                  named({ prefix: 'spiffe://cluster.local/ns/other/sa/' }),
                ],
              },
            },
            { directRemoteIp: { addressPrefix: '10.0.0.0', prefixLen: { value: 8 } } },
          ],
        },
      },
    ],
  })
})

test('opaque ports have the same as filters of the network', () => {
  const [filter] = networkAccessFilters(
    { ...silent, rules: [rule('d', 'deny', { to: [{ ...nothing, ports: [6379] }] })] },
    'cluster.local',
  )
  expect(filter?.name).toBe('envoy.filters.network.rbac.deny')
  expect(unpackAs('envoy.extensions.filters.network.rbac.v3.RBAC', filter?.typedConfig)).toMatchObject({
    rules: { policies: { d: { permissions: [{ destinationPort: 6379 }] } } },
  })
})
