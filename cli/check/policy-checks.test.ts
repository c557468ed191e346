import { expect, test } from 'vitest'
import { refusedClear } from './policy-checks.ts'

test('what strict mTLS refused is counted, by policy and by annotation, of any protocol, and nothing else is', () => {
  const metrics = `# TYPE inbound_http_authz_deny_total counter
inbound_http_authz_deny_total{tls="false",authz_kind="accesspolicy",authz_name="a",authz_rule="mtls"} 3
inbound_http_authz_deny_total{tls="true",authz_kind="accesspolicy",authz_name="a",authz_rule="no-admin"} 5
inbound_tcp_authz_deny_total{tls="false",authz_kind="annotation",authz_namespace="shop"} 2
inbound_http_authz_allow_total{tls="true",authz_rule="mtls"} 7
`
  expect(refusedClear(metrics)).toBe(5)
  expect(refusedClear('')).toBe(0)
})
