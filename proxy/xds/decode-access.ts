/** The RBAC filters of an inbound chain -> rules of access. What cannot be honoured is refused with its path. */
import { isIP } from 'node:net'
import { unpackAs } from '../../api/xds/codec.ts'
import type { Any, CidrRange, Rbac, RbacPermission, RbacPrincipal } from '../../api/xds/types.ts'
import type { AccessRule, AccessRules, Permission, Principal, TextMatch } from '../authz/access-rules.ts'
import { decodeHeaderMatch, stringMatch } from './decode-route-match.ts'
import type { Problems } from './problems.ts'

export const httpRbacName = 'envoy.extensions.filters.http.rbac.v3.RBAC'
const networkRbacName = 'envoy.extensions.filters.network.rbac.v3.RBAC'

function textMatch(
  matcher: Parameters<typeof stringMatch>[0] | undefined,
  path: string,
  problems: Problems,
): TextMatch {
  const match = stringMatch(matcher ?? {}, path, problems)
  return match.kind === 'present' ? { kind: 'exact', value: '' } : match
}

function decodePermission(message: RbacPermission, path: string, problems: Problems): Permission {
  const list = (rules: readonly RbacPermission[] = [], name: string): readonly Permission[] =>
    rules.map((rule, i) => decodePermission(rule, `${path}.${name}.rules[${i}]`, problems))
  if (message.andRules !== undefined) return { kind: 'all', of: list(message.andRules.rules, 'and_rules') }
  if (message.orRules !== undefined) return { kind: 'one', of: list(message.orRules.rules, 'or_rules') }
  if (message.notRule !== undefined)
    return { kind: 'not', of: decodePermission(message.notRule, `${path}.not_rule`, problems) }
  if (message.any === true) return { kind: 'any' }
  if (message.destinationPort !== undefined) return { kind: 'port', port: message.destinationPort }
  if (message.urlPath !== undefined)
    return { kind: 'path', match: textMatch(message.urlPath.path, `${path}.url_path.path`, problems) }
  if (message.header !== undefined)
    return { kind: 'header', header: decodeHeaderMatch(message.header, `${path}.header`, problems) }
  problems.add(path, 'is of no kind that is supported')
  return { kind: 'one', of: [] }
}

function decodeAddress(range: CidrRange, path: string, problems: Problems): Principal {
  const { addressPrefix: address = '', prefixLen } = range
  const family = isIP(address)
  const prefixLength = prefixLen?.value ?? 0
  if (family === 0) problems.add(`${path}.address_prefix`, `"${address}" is no address`)
  else if (prefixLength > (family === 4 ? 32 : 128)) problems.add(`${path}.prefix_len`, 'is too long')
  return { kind: 'address', address, prefixLength }
}

function decodePrincipal(message: RbacPrincipal, path: string, problems: Problems): Principal {
  const list = (ids: readonly RbacPrincipal[] = [], name: string): readonly Principal[] =>
    ids.map((id, i) => decodePrincipal(id, `${path}.${name}.ids[${i}]`, problems))
  if (message.andIds !== undefined) return { kind: 'all', of: list(message.andIds.ids, 'and_ids') }
  if (message.orIds !== undefined) return { kind: 'one', of: list(message.orIds.ids, 'or_ids') }
  if (message.notId !== undefined)
    return { kind: 'not', of: decodePrincipal(message.notId, `${path}.not_id`, problems) }
  if (message.any === true) return { kind: 'any' }
  if (message.authenticated !== undefined) {
    const { principalName } = message.authenticated
    const here = `${path}.authenticated.principal_name`
    if (principalName === undefined) return { kind: 'principal', match: undefined }
    const match = textMatch(principalName, here, problems)
    if (match.kind === 'regex') problems.add(here, 'a regex is not supported')
    return { kind: 'principal', match }
  }
  const range = message.directRemoteIp ?? message.remoteIp
  if (range !== undefined) {
    const name = message.directRemoteIp === undefined ? 'remote_ip' : 'direct_remote_ip'
    return decodeAddress(range, `${path}.${name}`, problems)
  }
  problems.add(path, 'is of no kind that is supported')
  return { kind: 'one', of: [] }
}

/** One of several, without the fuss where there is one. */
function oneOf<T extends { readonly kind: string }>(parts: readonly T[]): T {
  return parts.length === 1 ? (parts[0] as T) : ({ kind: 'one', of: parts } as unknown as T)
}

/** In the order of their names, as Envoy has them. */
function decodeRules({ policies = {} }: Rbac, path: string, problems: Problems): readonly AccessRule[] {
  const byName = Object.entries(policies).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return byName.map(([name, { permissions = [], principals = [] }]) => {
    const here = `${path}.policies["${name}"]`
    return {
      name,
      permission: oneOf(
        permissions.map((one, i) => decodePermission(one, `${here}.permissions[${i}]`, problems)),
      ),
      principal: oneOf(
        principals.map((one, i) => decodePrincipal(one, `${here}.principals[${i}]`, problems)),
      ),
    }
  })
}

type Filter = { readonly typedConfig?: Any | undefined }
type Found = { readonly rules: Rbac; readonly name: string; readonly path: string }

function rbacOf({ typedConfig }: Filter, path: string, problems: Problems): readonly Found[] {
  const http = unpackAs(httpRbacName, typedConfig)
  const network = unpackAs(networkRbacName, typedConfig)
  const filter = http ?? network
  if (filter === undefined) return []
  if (filter.shadowRules !== undefined) problems.add(`${path}.shadow_rules`, 'are not supported')
  const name = http?.rulesStatPrefix ?? network?.statPrefix ?? ''
  return filter.rules === undefined ? [] : [{ rules: filter.rules, name, path: `${path}.rules` }]
}

/** The rules of a list of filters; undefined: they have none. */
export function decodeAccess(
  filters: readonly Filter[],
  path: string,
  problems: Problems,
): AccessRules | undefined {
  const found = filters.flatMap((filter, i) => rbacOf(filter, `${path}[${i}].typed_config`, problems))
  if (found.length === 0) return undefined
  const of = (action: Rbac['action']): readonly Found[] =>
    found.filter(({ rules }) => (rules.action ?? 'ALLOW') === action)
  const rulesOf = (action: Rbac['action']): readonly AccessRule[] =>
    of(action).flatMap(({ rules, path: here }) => decodeRules(rules, here, problems))
  const [allow, another] = of('ALLOW')
  if (another !== undefined) problems.add(another.path, 'is a second list of what is allowed')
  return {
    deny: rulesOf('DENY'),
    allow: allow && rulesOf('ALLOW'),
    otherwise: allow?.name ?? '',
    audit: rulesOf('LOG'),
  }
}
