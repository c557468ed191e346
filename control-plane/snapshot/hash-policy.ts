/** What the balancers of a route's backends hash -> hash_policy of the route, where xDS has it. */
import { toDuration } from '../../api/xds/duration.ts'
import type { RouteAction } from '../../api/xds/types.ts'
import type { HashInput } from '../model/traffic-settings.ts'

type HashPolicy = NonNullable<RouteAction['hashPolicy']>[number]

/** Terminal: the first that a request has is all that counts. */
function policyOf(input: HashInput): HashPolicy {
  const terminal = true
  switch (input.kind) {
    case 'header':
      return { header: { headerName: input.name }, terminal }
    case 'cookie': {
      const { name, ttlMs, path } = input
      const ttl = ttlMs === undefined ? undefined : toDuration(ttlMs)
      return { cookie: { name, ttl, path }, terminal }
    }
    case 'query':
      return { queryParameter: { name: input.name }, terminal }
    case 'source-ip':
      return { connectionProperties: { sourceIp: true }, terminal }
  }
}

/** Of several backends all inputs, each once. */
export function hashPolicies(inputs: readonly HashInput[]): readonly HashPolicy[] {
  const unique = new Map(inputs.map((input) => [JSON.stringify(input), input]))
  return [...unique.values()].map(policyOf)
}
