/**
 * Who may call a port -> Envoy's RBAC filters, three at most and in this order: what is only to be told of (LOG), what is
 * denied, what is allowed. Strict mTLS is a rule like others: it denies whoever has proven nothing.
 */
import { pack } from '../../api/xds/codec.ts'
import { httpRbacFilter, networkRbacFilter } from '../../api/xds/naming.ts'
import type {
  FilterChain,
  HttpFilter,
  Rbac,
  RbacPermission,
  RbacPolicy,
  RbacPrincipal,
  StringMatcher,
} from '../../api/xds/types.ts'
import { formatSpiffeId } from '../../api/spiffe.ts'
import type { PortAccess } from '../model/access.ts'
import type { AccessOperation, AccessPath, AccessRule, AccessSource } from '../model/access-policy.ts'
import type { TextMatch } from '../model/objects.ts'

type Action = 'LOG' | 'DENY' | 'ALLOW'
type Policies = Readonly<Record<string, RbacPolicy>>
/** `otherwise` says who denies what is not allowed. */
type Filter = { readonly action: Action; readonly policies: Policies; readonly otherwise: string }

const anything: RbacPermission = { any: true }
const anybody: RbacPrincipal = { any: true }

function anyPermission(parts: readonly RbacPermission[]): RbacPermission[] {
  if (parts.length === 0) return []
  return [parts.length === 1 ? (parts[0] as RbacPermission) : { orRules: { rules: parts } }]
}

function anyPrincipal(parts: readonly RbacPrincipal[]): RbacPrincipal[] {
  if (parts.length === 0) return []
  return [parts.length === 1 ? (parts[0] as RbacPrincipal) : { orIds: { ids: parts } }]
}

function pathPermissions({ kind, value }: AccessPath): readonly RbacPermission[] {
  const path = (match: StringMatcher): RbacPermission => ({ urlPath: { path: match } })
  if (kind === 'exact') return [path({ exact: value })]
  if (kind === 'regex') return [path({ safeRegex: { regex: value } })]
  return value === '/' ? [anything] : [path({ exact: value }), path({ prefix: `${value}/` })]
}

function headerPermission({ name, value, regex }: TextMatch): RbacPermission {
  return { header: { name, stringMatch: regex ? { safeRegex: { regex: value } } : { exact: value } } }
}

function permissionOf({ ports, paths, methods, headers }: AccessOperation): RbacPermission {
  const parts = [
    ...anyPermission(ports.map((destinationPort) => ({ destinationPort }))),
    ...anyPermission(paths.flatMap(pathPermissions)),
    ...anyPermission(methods.map((value) => headerPermission({ name: ':method', value, regex: false }))),
    ...headers.map(headerPermission),
  ]
  return parts.length < 2 ? (parts[0] ?? anything) : { andRules: { rules: parts } }
}

/** A `*` at either end stands for anything; alone for whoever has proven to be somebody. */
function principalOf(pattern: string): RbacPrincipal {
  if (pattern === '*') return { authenticated: {} }
  const named = (principalName: StringMatcher): RbacPrincipal => ({ authenticated: { principalName } })
  if (pattern.endsWith('*')) return named({ prefix: pattern.slice(0, -1) })
  return named(pattern.startsWith('*') ? { suffix: pattern.slice(1) } : { exact: pattern })
}

function sourceOf(source: AccessSource, trustDomain: string): RbacPrincipal {
  const { principals, serviceAccounts, namespaces, cidrs } = source
  const spiffe = (namespace: string, serviceAccount: string): string =>
    formatSpiffeId({ trustDomain, namespace, serviceAccount })
  const who = [
    ...principals.map(principalOf),
    ...serviceAccounts.map(({ namespace, name }) => principalOf(spiffe(namespace, name))),
    ...namespaces.map((namespace) => principalOf(`${spiffe(namespace, '')}*`)),
  ]
  const where = cidrs.map(({ address: addressPrefix, prefixLength }) => ({
    directRemoteIp: { addressPrefix, prefixLen: { value: prefixLength } },
  }))
  const parts = [...anyPrincipal(who), ...anyPrincipal(where)]
  return parts.length < 2 ? (parts[0] ?? anybody) : { andIds: { ids: parts } }
}

function policyOf({ from, to }: AccessRule, trustDomain: string): RbacPolicy {
  return {
    permissions: to.length === 0 ? [anything] : to.map(permissionOf),
    principals: from.length === 0 ? [anybody] : from.map((source) => sourceOf(source, trustDomain)),
  }
}

const actions = { audit: 'LOG', deny: 'DENY', allow: 'ALLOW' } as const

function filtersOf({ strict, verdict, rules }: PortAccess, trustDomain: string): readonly Filter[] {
  const policies: Record<Action, Record<string, RbacPolicy>> = { LOG: {}, DENY: {}, ALLOW: {} }
  for (const rule of rules) policies[actions[rule.action]][rule.name] = policyOf(rule, trustDomain)
  if (strict !== undefined)
    policies.DENY[strict] = { permissions: [anything], principals: [{ notId: { authenticated: {} } }] }
  if (verdict?.allows === true)
    policies.ALLOW[verdict.name] = { permissions: [anything], principals: [anybody] }
  const filter = (action: Action): Filter => ({
    action,
    policies: policies[action],
    otherwise: action === 'ALLOW' && verdict !== undefined ? verdict.name : '',
  })
  const isSaid = (action: Action): boolean =>
    action === 'ALLOW' ? verdict !== undefined : Object.keys(policies[action]).length > 0
  return (['LOG', 'DENY', 'ALLOW'] as const).filter(isSaid).map(filter)
}

function rbacOf({ action, policies }: Filter): Rbac {
  return { action, policies }
}

/** In front of requests. Empty: nobody says anything. */
export function httpAccessFilters(access: PortAccess, trustDomain: string): readonly HttpFilter[] {
  return filtersOf(access, trustDomain).map((filter) => ({
    name: `${httpRbacFilter}.${filter.action.toLowerCase()}`,
    typedConfig: pack('envoy.extensions.filters.http.rbac.v3.RBAC', {
      rules: rbacOf(filter),
      rulesStatPrefix: filter.otherwise,
    }),
  }))
}

/** In front of connections whose bytes nobody looks at. */
export function networkAccessFilters(
  access: PortAccess,
  trustDomain: string,
): NonNullable<FilterChain['filters']> {
  return filtersOf(access, trustDomain).map((filter) => ({
    name: `${networkRbacFilter}.${filter.action.toLowerCase()}`,
    typedConfig: pack('envoy.extensions.filters.network.rbac.v3.RBAC', {
      rules: rbacOf(filter),
      statPrefix: filter.otherwise,
    }),
  }))
}
