import { describe, expect, test } from 'vitest'
import { pack } from '../../api/xds/codec.ts'
import { peerPrincipalExpression } from '../../api/xds/naming.ts'
import type { LocalRateLimit, RateLimit } from '../../api/xds/types.ts'
import { decodeRateLimits } from './decode-rate-limit.ts'
import { Problems } from './problems.ts'

const always = { defaultValue: { numerator: 100 } }
const bucket = { maxTokens: 5, tokensPerFill: { value: 2 }, fillInterval: { nanos: 500_000_000 } }

function decode(limits: readonly LocalRateLimit[], rateLimits: readonly RateLimit[] = []) {
  const problems = new Problems()
  const limitName = 'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit'
  const found = decodeRateLimits(
    {
      httpFilters: limits.map((limit) => ({
        typedConfig: pack(limitName, { filterEnabled: always, filterEnforced: always, ...limit }),
      })),
      routeConfig: { virtualHosts: [{ routes: [{ route: { cluster: 'app', rateLimits } }] }] },
    },
    'm',
    problems,
  )
  return { found, problems: problems.list.map((problem) => problem.split(': ')[0]) }
}

const header = (key: string, stage: number): RateLimit => ({
  stage: { value: stage },
  actions: [{ requestHeaders: { headerName: 'X-User', descriptorKey: key } }],
})
const principal = (key: string, text: string): RateLimit => ({
  actions: [
    {
      extension: {
        typedConfig: pack('envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor', {
          descriptorKey: key,
          text,
        }),
      },
    },
  ],
})
const per = (key: string): LocalRateLimit => ({
  tokenBucket: bucket,
  descriptors: [{ entries: [{ key }], tokenBucket: bucket }],
})

test('limits are read, by whom they are for', () => {
  expect(
    decode(
      [{ tokenBucket: bucket }, per('principal'), { ...per('user'), stage: 2 }],
      [principal('principal', peerPrincipalExpression), header('other', 0), header('user', 2)],
    ),
  ).toEqual({
    found: [
      { bucket: { burst: 5, perSecond: 4 }, per: { kind: 'total' } },
      { bucket: { burst: 5, perSecond: 4 }, per: { kind: 'principal' } },
      { bucket: { burst: 5, perSecond: 4 }, per: { kind: 'header', name: 'x-user' } },
    ],
    problems: [],
  })
})

describe('what cannot be honoured is refused', () => {
  const path = 'm.http_filters[0].typed_config'
  test.each<readonly [string, LocalRateLimit, readonly string[]]>([
    ['no bucket', {}, ['token_bucket.max_tokens', 'token_bucket.fill_interval']],
    [
      'half of the requests',
      { tokenBucket: bucket, filterEnforced: { defaultValue: { numerator: 50 } } },
      ['filter_enforced'],
    ],
    ['a descriptor that no action makes', per('user'), ['descriptors[0].entries[0].key']],
    [
      'a value of its own',
      {
        tokenBucket: bucket,
        descriptors: [{ entries: [{ key: 'principal', value: 'web' }], tokenBucket: bucket }],
      },
      ['descriptors[0].entries[0].value'],
    ],
  ])('%s', (_name, limit, fields) => {
    expect(decode([limit], [principal('principal', peerPrincipalExpression)]).problems).toEqual(
      fields.map((field) => `${path}.${field}`),
    )
  })
  test('another expression than the principal', () => {
    expect(decode([per('who')], [principal('who', 'request.path')]).problems).toEqual([
      `${path}.descriptors[0].entries[0].key`,
    ])
  })
})
