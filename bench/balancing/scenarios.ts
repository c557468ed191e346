/** What is tried: how the endpoints behave, what the sidecar is told, and what has to come of it. Pure. */
import type { Behaviour } from './behaviour.ts'

export type Subject = {
  readonly name: string
  /** As the sidecar names it; the run begins when it is in force. */
  readonly balancer: string
  /** The spec of a TrafficPolicy, without its targets. */
  readonly policy: object
}

export type BalancingScenario = {
  readonly name: string
  readonly title: string
  readonly ratePerSecond: number
  readonly seconds: number
  readonly behaviours: readonly Behaviour[]
  readonly subjects: readonly Subject[]
}

const usual = { medianMs: 167, deviationMs: 14, trouble: undefined } as const
const quick = { medianMs: 5, deviationMs: 1, trouble: undefined } as const

function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value)
}

/** `share` shortens everything alike, for a look at whether it runs. */
export function balancingScenarios(share = 1): readonly BalancingScenario[] {
  const seconds = (usualSeconds: number): number => Math.max(3, Math.round(usualSeconds * share))
  const length = seconds(60)
  const stuck = { fromSecond: length / 4, toSecond: (length * 3) / 4, kind: 'stuck', stuckMs: 2_000 } as const
  const failing = { fromSecond: 0, toSecond: Number.MAX_SAFE_INTEGER, kind: 'failing', stuckMs: 0 } as const
  const outlierDetection = { consecutiveFailures: 5, baseEjection: '5s', maxEjection: '60s' }
  const retries = { conditions: ['5xx'], limit: 3 }
  return [
    {
      name: 'stuck-endpoint',
      title: `11 endpoints of 167 ms, 1,000 requests a second for ${length} s, one endpoint stuck at 2 s for the middle half`,
      ratePerSecond: 1_000,
      seconds: length,
      behaviours: [...times<Behaviour>(10, usual), { ...usual, trouble: stuck }],
      subjects: [
        { name: 'peak EWMA', balancer: 'peak-ewma', policy: { balancer: { type: 'PeakEWMA' } } },
        { name: 'least request', balancer: 'least-request', policy: { balancer: { type: 'LeastRequest' } } },
        { name: 'round robin', balancer: 'round-robin', policy: { balancer: { type: 'RoundRobin' } } },
      ],
    },
    {
      name: 'failing-endpoint',
      title: '5 endpoints of 5 ms, 1,000 requests a second, one of them fails every request',
      ratePerSecond: 1_000,
      seconds: seconds(30),
      behaviours: [...times<Behaviour>(4, quick), { ...quick, trouble: failing }],
      subjects: [
        {
          name: 'round robin, outlier detection',
          balancer: 'round-robin',
          policy: { balancer: { type: 'RoundRobin' }, outlierDetection },
        },
        {
          name: 'round robin, retries',
          balancer: 'round-robin',
          policy: { balancer: { type: 'RoundRobin' }, retries },
        },
        {
          name: 'peak EWMA, outlier detection, retries',
          balancer: 'peak-ewma',
          policy: { outlierDetection, retries },
        },
      ],
    },
    {
      name: 'all-failing',
      title: '5 endpoints, 1,000 requests a second, everything fails and everything may be retried 3 times',
      ratePerSecond: 1_000,
      seconds: seconds(20),
      behaviours: times<Behaviour>(5, { ...quick, trouble: failing }),
      subjects: [{ name: 'retries in a budget of 20 %', balancer: 'peak-ewma', policy: { retries } }],
    },
  ]
}
