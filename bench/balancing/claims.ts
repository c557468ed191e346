/** What has to be true of a run, and whether it is. Pure. */
import type { Outcome } from './outcome.ts'

export type Claim = { readonly text: string; readonly holds: boolean }

type Outcomes = ReadonlyMap<string, Outcome>

/** The default budget: a fifth of the requests, ten a second, and what ten seconds of those save up. */
export function mostRetries(requests: number, seconds: number): number {
  return 0.2 * requests + 10 * seconds + 100
}

function claim(text: string, value: number | undefined, holds: (value: number) => boolean): Claim {
  return {
    text: `${text}: ${value === undefined ? 'not seen' : Number(value.toFixed(3))}`,
    holds: value !== undefined && holds(value),
  }
}

function stuckEndpoint(outcomes: Outcomes): readonly Claim[] {
  const good = (name: string): number | undefined => outcomes.get(name)?.goodPercent
  const [ewma, least, roundRobin] = ['peak EWMA', 'least request', 'round robin'].map(good)
  return [
    claim('peak EWMA answers at least 99.9 % within 1 s', ewma, (value) => value >= 99.9),
    claim('round robin answers near 95 %', roundRobin, (value) => value > 93 && value < 97),
    claim(
      'least request lies between the two',
      least,
      (value) => value > (roundRobin ?? 100) && value < (ewma ?? 0),
    ),
  ]
}

function failingEndpoint(outcomes: Outcomes, seconds: number): readonly Claim[] {
  const ejected = outcomes.get('round robin, outlier detection')
  const alone = outcomes.get('round robin, retries')
  const both = outcomes.get('peak EWMA, outlier detection, retries')
  const failed = ejected?.afterEjectionPercent
  return [
    claim(
      'after the ejection less than 0.1 % fail',
      failed === undefined ? undefined : 100 - failed,
      (value) => value < 0.1,
    ),
    claim(
      'retries alone have to make up for a fifth of the requests, and stay within their budget',
      alone?.retries,
      (value) => value > 0.15 * (alone?.requests ?? 0) && value <= mostRetries(alone?.requests ?? 0, seconds),
    ),
    claim('with both, 99.9 % are answered', both?.goodPercent, (value) => value >= 99.9),
  ]
}

function allFailing(outcomes: Outcomes, seconds: number): readonly Claim[] {
  const [outcome] = outcomes.values()
  return [
    claim(
      'endpoints get at most 1.25 requests for each one sent',
      outcome?.amplification,
      (value) => value >= 1 && value <= 1.25,
    ),
    claim(
      'retries stay within the budget',
      outcome?.retries,
      (value) => value > 0 && value <= mostRetries(outcome?.requests ?? 0, seconds),
    ),
    claim('what the budget refuses is counted', outcome?.overBudget, (value) => value > 0),
  ]
}

const claimsOf = new Map<string, (outcomes: Outcomes, seconds: number) => readonly Claim[]>([
  ['stuck-endpoint', stuckEndpoint],
  ['failing-endpoint', failingEndpoint],
  ['all-failing', allFailing],
])

export function judge(scenario: string, outcomes: Outcomes, seconds: number): readonly Claim[] {
  return claimsOf.get(scenario)?.(outcomes, seconds) ?? []
}
