/** hash_policy of a route -> what its requests are kept together by. */
import type { RouteAction } from '../../api/xds/types.ts'
import type { HashInput } from '../route/hash-input.ts'
import { durationMs } from './duration.ts'
import type { Problems } from './problems.ts'

type HashPolicy = NonNullable<RouteAction['hashPolicy']>[number]

function inputOf(policy: HashPolicy, path: string, problems: Problems): HashInput | undefined {
  const { header, cookie, queryParameter, connectionProperties } = policy
  const name = header?.headerName ?? cookie?.name ?? queryParameter?.name
  if (name === '' || (name === undefined && connectionProperties?.sourceIp !== true)) {
    problems.add(path, 'has none of header, cookie, query_parameter and source_ip')
    return undefined
  }
  if (name === undefined) return { kind: 'source-ip' }
  if (header !== undefined) return { kind: 'header', name: name.toLowerCase() }
  if (cookie === undefined) return { kind: 'query', name }
  // Unlike a timeout, a lifetime of zero says something: the client's session.
  const ttlMs = cookie.ttl === undefined ? undefined : (durationMs(cookie.ttl) ?? 0)
  return { kind: 'cookie', name, ttlMs, path: cookie.path }
}

/** Undefined when there is none. */
export function decodeHashPolicy(
  action: RouteAction | undefined,
  path: string,
  problems: Problems,
): readonly HashInput[] | undefined {
  const policies = action?.hashPolicy
  if (policies === undefined || policies.length === 0) return undefined
  return policies.flatMap((policy, i) => inputOf(policy, `${path}.hash_policy[${i}]`, problems) ?? [])
}
