/** What weft promises, as ratios within one run. The one place where the numbers are. */
export type Limit = {
  readonly what: string
  readonly scenario: string
  readonly subject: string
  readonly base: string
  readonly atMost: number
}

export const limits: readonly Limit[] = [
  {
    what: 'CPU per request, plain, saturated, against HAProxy',
    scenario: 'plain-saturated',
    subject: 'weft',
    base: 'haproxy',
    atMost: 1.25,
  },
  {
    what: 'the same against http-proxy',
    scenario: 'plain-saturated',
    subject: 'weft',
    base: 'http-proxy',
    atMost: 0.3,
  },
  {
    what: 'CPU per request, mTLS pair, saturated, against the HAProxy pair',
    scenario: 'mtls-pair-saturated',
    subject: 'weft',
    base: 'haproxy',
    atMost: 1.25,
  },
]
