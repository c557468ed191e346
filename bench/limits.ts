/** What weft promises. The one place where the numbers are. */

/** Everything is of one scenario of one run. */
export type Quantity =
  /** CPU of the subject over that of the base, round by round. */
  | { readonly kind: 'cpu-ratio'; readonly base: string }
  /** 99th percentile over that of `direct`, and what the same is for the base. */
  | { readonly kind: 'added-p99-ratio'; readonly base: string }
  /** How many times as long as the base it takes for the same. */
  | { readonly kind: 'time-ratio'; readonly base: string }
  | { readonly kind: 'metric'; readonly metric: 'rssMb' | 'anonymousMb' | 'readyMs'; readonly unit: string }

export type Limit = {
  readonly what: string
  readonly scenario: string
  readonly subject: string
  readonly quantity: Quantity
  readonly atMost: number
  /** Looked at by --guard, which is short. */
  readonly guarded: boolean
}

function cpu(
  what: string,
  scenario: string,
  [subject, base]: readonly [string, string],
  atMost: number,
  guarded: boolean,
): Limit {
  return {
    what: `CPU per request, ${what}`,
    scenario,
    subject,
    quantity: { kind: 'cpu-ratio', base },
    atMost,
    guarded,
  }
}

/** A throughput of 0.7 of HTTP/1.1's is a time of 1.43. */
function transfer(direction: 'download' | 'upload'): Limit {
  return {
    what: `time of 1 GiB over HTTP/2, mTLS pair, ${direction}, against HTTP/1.1`,
    scenario: `h2-${direction}-1g`,
    subject: 'weft, HTTP/2',
    quantity: { kind: 'time-ratio', base: 'weft, HTTP/1.1' },
    atMost: 1.43,
    guarded: false,
  }
}

export const limits: readonly Limit[] = [
  cpu('plain, saturated, against HAProxy', 'plain-saturated', ['weft', 'haproxy'], 1.25, true),
  cpu('plain, 1,000/s, against HAProxy', 'plain-1000', ['weft', 'haproxy'], 1.35, false),
  cpu('mTLS pair, saturated, against HAProxy', 'mtls-pair-saturated', ['weft', 'haproxy'], 1.25, true),
  cpu('mTLS pair, saturated, against Envoy', 'mtls-pair-saturated', ['weft-file', 'envoy'], 0.6, false),
  cpu('plain, saturated, against Envoy', 'plain-saturated', ['weft-file', 'envoy'], 0.6, false),
  cpu('plain, saturated, against http-proxy', 'plain-saturated', ['weft', 'http-proxy'], 0.3, true),
  cpu('plain, saturated, against undici', 'plain-saturated', ['weft', 'undici'], 0.6, true),
  {
    what: 'added p99, mTLS pair, 1,000/s, 16 connections, against HAProxy',
    scenario: 'mtls-pair-1000',
    subject: 'weft',
    quantity: { kind: 'added-p99-ratio', base: 'haproxy' },
    atMost: 1.5,
    guarded: false,
  },
  cpu('1,000 routes instead of 1', 'routes', ['weft, 1000 routes', 'weft, 1 route'], 1.05, true),
  cpu('HTTP/2, 8 x 16, against HAProxy', 'h2c-8x16', ['weft', 'haproxy'], 1.3, true),
  cpu('HTTP/2, 64 x 1, against HAProxy', 'h2c-64x1', ['weft', 'haproxy'], 1.3, false),
  cpu('HTTP/2, unique headers, against HAProxy', 'h2c-unique-headers', ['weft', 'haproxy'], 1.5, false),
  cpu('HTTP/2, 1,000/s, against HAProxy', 'h2c-1000', ['weft', 'haproxy'], 1.6, false),
  cpu('HTTP/2, mTLS pair, 8 x 16, against HAProxy', 'h2-mtls-pair-8x16', ['weft', 'haproxy'], 1.1, true),
  cpu('HTTP/2, 8 x 16, against node:http2', 'h2c-8x16', ['weft', 'node-http2'], 0.35, false),
  {
    what: 'added p99, gRPC, mTLS pair, 1,000/s, against HAProxy',
    scenario: 'h2-mtls-pair-1000',
    subject: 'weft',
    quantity: { kind: 'added-p99-ratio', base: 'haproxy' },
    atMost: 1.5,
    guarded: false,
  },
  ...[
    ['8 x 16', 'h2c-8x16'],
    ['64 x 1', 'h2c-64x1'],
    ['unique headers', 'h2c-unique-headers'],
    ['1,000/s', 'h2c-1000'],
    ['mTLS pair, 8 x 16', 'h2-mtls-pair-8x16'],
  ].map(
    ([what, scenario]): Limit => ({
      what: `RSS, HTTP/2, ${what}`,
      scenario: scenario as string,
      subject: 'weft',
      quantity: { kind: 'metric', metric: 'rssMb', unit: 'MB' },
      atMost: 90,
      guarded: false,
    }),
  ),
  transfer('download'),
  transfer('upload'),
  {
    what: 'RSS at 1,000/s with mTLS and telemetry',
    scenario: 'memory',
    subject: 'weft, spans',
    quantity: { kind: 'metric', metric: 'rssMb', unit: 'MB' },
    atMost: 64,
    guarded: false,
  },
  {
    what: 'the anonymous part of it',
    scenario: 'memory',
    subject: 'weft, spans',
    quantity: { kind: 'metric', metric: 'anonymousMb', unit: 'MB' },
    atMost: 28,
    guarded: false,
  },
  {
    what: 'start to ready',
    scenario: 'starts',
    subject: 'weft',
    quantity: { kind: 'metric', metric: 'readyMs', unit: 'ms' },
    atMost: 300,
    guarded: false,
  },
]
