/** The part of the bench that a change has to pass: the limits that can be judged in three minutes. */
import { limits } from './limits.ts'
import type { LimitSummary } from './report/summary.ts'
import type { Scenario, ScenarioResult } from './scenario.ts'
import { isLost, judge } from './verdict.ts'

export const guardRounds = 11
/** From the first start to the last round: the rest of the three minutes is for what cannot be cut short. */
const guardMs = 165_000

const guarded = limits.filter((limit) => limit.guarded)

/** The scenarios that the guarded limits are about, with nobody in them but those that are compared. */
export function guardScenarios(scenarios: readonly Scenario[]): Scenario[] {
  return scenarios.flatMap((scenario) => {
    const names = new Set(
      guarded
        .filter((limit) => limit.scenario === scenario.name)
        .flatMap(({ subject, quantity }) => [subject, 'base' in quantity ? quantity.base : subject]),
    )
    const subjects = scenario.subjects.filter(({ name }) => names.has(name))
    return subjects.length === 0 ? [] : [{ ...scenario, subjects }]
  })
}

/** When each scenario's rounds have to end, in ms from the first one's start: by how many subjects they have. */
export function guardDeadlinesMs(scenarios: readonly Scenario[]): number[] {
  const total = scenarios.reduce((sum, { subjects }) => sum + subjects.length, 0)
  let done = 0
  return scenarios.map(({ subjects }) => {
    done += subjects.length
    return (guardMs * done) / total
  })
}

/** The guarded limits; kept unless even the lower quartile is above, so that noise alone refuses nothing. */
export function guardLimits(results: readonly ScenarioResult[]): LimitSummary[] {
  return judge(guarded, results).map((verdict) => ({
    what: verdict.limit.what,
    scenario: verdict.limit.scenario,
    unit: '',
    atMost: verdict.limit.atMost,
    measured: verdict.measured ?? null,
    kept: !isLost(verdict),
  }))
}
