import { expect, test } from 'vitest'
import { pack } from '../../api/xds/codec.ts'
import type { Rbac } from '../../api/xds/types.ts'
import { decodeAccess } from './decode-access.ts'
import { decoded } from './problems.ts'

const http = (rules: Rbac, more: object = {}) => ({
  typedConfig: pack('envoy.extensions.filters.http.rbac.v3.RBAC', { rules, ...more }),
})
const network = (rules: Rbac, statPrefix = '') => ({
  typedConfig: pack('envoy.extensions.filters.network.rbac.v3.RBAC', { rules, statPrefix }),
})
const anything = { permissions: [{ any: true }], principals: [{ any: true }] }

function decode(...filters: Parameters<typeof decodeAccess>[0]) {
  return decoded((problems) => decodeAccess(filters, 'filters', problems))
}

test('without a filter there are no rules', () => {
  expect(decode({})).toEqual({ ok: true, value: undefined })
})

test('rules are read by their action, in the order of their names', () => {
  const value = decode(
    http({ action: 'LOG', policies: { t: anything } }),
    http({ action: 'DENY', policies: { b: anything, a: anything } }),
    http({ policies: { c: anything } }, { rulesStatPrefix: 'who' }),
  )
  expect(value).toMatchObject({
    ok: true,
    value: {
      audit: [{ name: 't' }],
      deny: [{ name: 'a' }, { name: 'b' }],
      allow: [{ name: 'c', permission: { kind: 'any' }, principal: { kind: 'any' } }],
      otherwise: 'who',
    },
  })
})

test('nothing is allowed by an empty list, and everything without one', () => {
  expect(decode(network({ action: 'ALLOW' }, 'who'))).toMatchObject({
    value: { allow: [], otherwise: 'who' },
  })
  expect(decode(network({ action: 'DENY' }))).toMatchObject({ value: { allow: undefined } })
})

test.each<[string, Rbac, string]>([
  [
    'a range that is none',
    { policies: { r: { ...anything, principals: [{ directRemoteIp: { addressPrefix: 'x' } }] } } },
    'filters[0].typed_config.rules.policies["r"].principals[0].direct_remote_ip.address_prefix',
  ],
  [
    'a permission of an unknown kind',
    { policies: { r: { ...anything, permissions: [{ notRule: { destinationIp: {} } }] } } },
    'filters[0].typed_config.rules.policies["r"].permissions[0].not_rule',
  ],
  [
    'a principal by a header, which anybody can send',
    { policies: { r: { ...anything, principals: [{ header: { name: 'x' } }] } } },
    'filters[0].typed_config.rules.policies["r"].principals[0]',
  ],
  [
    'a regex for a principal',
    {
      policies: {
        r: {
          ...anything,
          principals: [{ authenticated: { principalName: { safeRegex: { regex: '.*' } } } }],
        },
      },
    },
    'filters[0].typed_config.rules.policies["r"].principals[0].authenticated.principal_name',
  ],
])('%s is refused, by its path', (_, rules, path) => {
  const result = decode(http(rules))
  expect(
    result.ok ? [] : result.problems.map((problem) => problem.slice(0, problem.indexOf(': '))),
  ).toContain(path)
})

test('shadow rules and a second list of what is allowed are refused', () => {
  const rules: Rbac = { policies: {} }
  expect(decode(http(rules, { shadowRules: rules })).ok).toBe(false)
  expect(decode(http(rules), http(rules)).ok).toBe(false)
})
