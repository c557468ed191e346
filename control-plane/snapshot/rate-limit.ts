/**
 * Rate limits -> Envoy's local_ratelimit, on the inbound side: a limit protects the application, whoever sends. A
 * workload behind several Services has the limits of all of them, as it cannot tell which of them a client meant.
 */
import { pack } from '../../api/xds/codec.ts'
import { localRateLimitFilter, peerPrincipalExpression } from '../../api/xds/naming.ts'
import type { HttpFilter, LocalRateLimit, RateLimit, TokenBucket } from '../../api/xds/types.ts'
import type { MeshModel, ServedPort } from '../model/mesh-model.ts'
import { trafficOf } from '../model/traffic.ts'
import type { RateLimitSettings } from '../model/traffic-settings.ts'
import { durationOf } from './duration.ts'

/** Envoy fills no more often than this. */
const shortestFillMs = 50

/** The limits for what comes in on a port of a workload. */
export function inboundLimits(
  model: MeshModel,
  served: readonly ServedPort[],
  listenPort: number,
): readonly RateLimitSettings[] {
  const limits = served
    .filter(({ targetPort }) => targetPort === listenPort)
    .flatMap(({ service, port }) => trafficOf(model, service, port).rateLimit ?? [])
  // One policy can come by way of several slices.
  return [...new Map(limits.map((limit) => [JSON.stringify(limit), limit])).values()]
}

function tokenBucket({ requestsPerSecond, burst }: RateLimitSettings): TokenBucket {
  const tokens = Math.max(1, Math.ceil((requestsPerSecond * shortestFillMs) / 1000))
  return {
    maxTokens: burst,
    tokensPerFill: { value: tokens },
    fillInterval: durationOf((1000 * tokens) / requestsPerSecond),
  }
}

const always = { defaultValue: { numerator: 100, denominator: 'HUNDRED' as const } }

function descriptorKey(per: RateLimitSettings['per']): string {
  return per.kind === 'header' ? `header:${per.name}` : per.kind
}

/** The filter of the limit that comes at `stage`, by which the route's actions find it. */
export function limitFilter(limit: RateLimitSettings, stage: number): HttpFilter {
  const { per } = limit
  const bucket = tokenBucket(limit)
  const config: LocalRateLimit = {
    statPrefix: `${stage}`,
    stage,
    tokenBucket: bucket,
    filterEnabled: always,
    filterEnforced: always,
    ...(per.kind === 'total'
      ? {}
      : {
          // No value: each has a bucket of its own. Those without one share the bucket above.
          descriptors: [{ entries: [{ key: descriptorKey(per) }], tokenBucket: bucket }],
          alwaysConsumeDefaultTokenBucket: { value: false },
        }),
  }
  const name = stage === 0 ? localRateLimitFilter : `${localRateLimitFilter}.${stage}`
  return {
    name,
    typedConfig: pack('envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit', config),
  }
}

/** What a route adds so that the filter of that stage knows who a request is from. */
export function limitActions({ per }: RateLimitSettings, stage: number): readonly RateLimit[] {
  if (per.kind === 'total') return []
  const key = descriptorKey(per)
  const action =
    per.kind === 'header'
      ? { requestHeaders: { headerName: per.name, descriptorKey: key } }
      : {
          extension: {
            name: 'envoy.rate_limit_descriptors.expr',
            typedConfig: pack('envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor', {
              descriptorKey: key,
              text: peerPrincipalExpression,
            }),
          },
        }
  return [{ stage: { value: stage }, actions: [action] }]
}
