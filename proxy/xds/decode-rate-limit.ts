/** The local_ratelimit filters of an inbound chain -> limits. What cannot be honoured is refused with its path. */
import { unpackAs } from '../../api/xds/codec.ts'
import { peerPrincipalExpression } from '../../api/xds/naming.ts'
import type { HttpConnectionManager, LocalRateLimit, RateLimit, TokenBucket } from '../../api/xds/types.ts'
import type { RateLimitKey, RateLimitPolicy } from '../rate-limit/rate-limit-policy.ts'
import type { TokenBucketSettings } from '../rate-limit/token-bucket.ts'
import { fractionOf } from './decode-route-match.ts'
import { durationMs } from './duration.ts'
import type { Problems } from './problems.ts'

export const limitName = 'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit'
const expressionName = 'envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor'

function decodeBucket(
  bucket: TokenBucket | undefined,
  path: string,
  problems: Problems,
): TokenBucketSettings {
  const fillMs = durationMs(bucket?.fillInterval)
  const burst = bucket?.maxTokens ?? 0
  const perFill = bucket?.tokensPerFill?.value ?? 1
  if (burst < 1) problems.add(`${path}.max_tokens`, 'must be at least 1')
  if (perFill < 1) problems.add(`${path}.tokens_per_fill`, 'must be at least 1')
  if (fillMs === undefined) problems.add(`${path}.fill_interval`, 'is missing')
  return { burst, perSecond: (1000 * perFill) / (fillMs ?? 1000) }
}

/** What the descriptor `key` is made of, by the actions of the route. */
function keyOf(key: string, actions: readonly RateLimit[], path: string, problems: Problems): RateLimitKey {
  for (const { requestHeaders, extension } of actions.flatMap((limit) => limit.actions ?? [])) {
    if (requestHeaders?.descriptorKey === key)
      return { kind: 'header', name: (requestHeaders.headerName ?? '').toLowerCase() }
    const expression = unpackAs(expressionName, extension?.typedConfig)
    if (expression?.descriptorKey === key && expression.text === peerPrincipalExpression)
      return { kind: 'principal' }
  }
  problems.add(path, `'${key}' is made by no action of the route that is supported`)
  return { kind: 'total' }
}

/** `actions` are those of the route; what cannot be honoured is refused. */
export function decodeLimit(
  config: LocalRateLimit,
  actions: readonly RateLimit[],
  path: string,
  problems: Problems,
): RateLimitPolicy {
  for (const name of ['filterEnabled', 'filterEnforced'] as const)
    if (fractionOf(config[name] ?? {}) !== 1)
      problems.add(
        `${path}.${name === 'filterEnabled' ? 'filter_enabled' : 'filter_enforced'}`,
        'must be 100 %',
      )
  if (!['Empty', 'TooManyRequests'].includes(config.status?.code ?? 'Empty'))
    problems.add(`${path}.status`, 'must be 429')
  if ((config.responseHeadersToAdd ?? []).length > 0)
    problems.add(`${path}.response_headers_to_add`, 'are not supported')
  const [descriptor, ...others] = config.descriptors ?? []
  if (others.length > 0) problems.add(`${path}.descriptors`, 'are more than one')
  if (descriptor === undefined)
    return {
      bucket: decodeBucket(config.tokenBucket, `${path}.token_bucket`, problems),
      per: { kind: 'total' },
    }
  const here = `${path}.descriptors[0]`
  const [entry, ...rest] = descriptor.entries ?? []
  if (rest.length > 0) problems.add(`${here}.entries`, 'are more than one')
  if ((entry?.value ?? '') !== '')
    problems.add(`${here}.entries[0].value`, 'must be left out: each value has its own')
  const mine = actions.filter((limit) => (limit.stage?.value ?? 0) === (config.stage ?? 0))
  return {
    bucket: decodeBucket(descriptor.tokenBucket, `${here}.token_bucket`, problems),
    per: keyOf(entry?.key ?? '', mine, `${here}.entries[0].key`, problems),
  }
}

/** The limits of one chain, in the order of their filters. */
export function decodeRateLimits(
  manager: HttpConnectionManager,
  path: string,
  problems: Problems,
): readonly RateLimitPolicy[] {
  const actions = manager.routeConfig?.virtualHosts?.[0]?.routes?.[0]?.route?.rateLimits ?? []
  return (manager.httpFilters ?? []).flatMap((filter, i) => {
    const config = unpackAs(limitName, filter.typedConfig)
    if (config === undefined) return []
    return [decodeLimit(config, actions, `${path}.http_filters[${i}].typed_config`, problems)]
  })
}
