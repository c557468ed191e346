/** The part of the bench that a change has to pass: the limits that can be judged in three minutes. */
import { limits } from './limits.ts'
import { usualPace, withBench } from './open-bench.ts'
import { type LimitSummary, summarizeScenario } from './report/summary.ts'
import { limitsText, scenarioText } from './report/text.ts'
import type { Scenario, ScenarioResult } from './scenario.ts'
import { type Pace, runScenario } from './suite.ts'
import { isLost, judge } from './verdict.ts'
import { write } from './write.ts'

const guardPace: Pace = {
  ...usualPace,
  rounds: 7,
  spareRounds: 3,
  roundSeconds: 1,
  // Who is slow has still seen some ten thousand requests by then.
  warmUpSeconds: 5,
}
/** HTTP/2 makes enough requests in less; wrk, which measures the rest, knows whole seconds only. */
const streamedRoundSeconds = 0.5
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
function guardLimits(results: readonly ScenarioResult[]): LimitSummary[] {
  return judge(guarded, results).map((verdict) => ({
    what: verdict.limit.what,
    scenario: verdict.limit.scenario,
    unit: '',
    atMost: verdict.limit.atMost,
    measured: verdict.measured ?? null,
    kept: !isLost(verdict),
  }))
}

/** Gives the exit status: 1 when a limit is lost, or could not be judged. */
export async function guard(scenarios: readonly Scenario[], rounds = guardPace.rounds): Promise<number> {
  const chosen = guardScenarios(scenarios)
  const deadlines = guardDeadlinesMs(chosen)
  const startedMs = performance.now()
  const results: ScenarioResult[] = []
  await withBench({ ...guardPace, rounds }, async (bench) => {
    for (const [i, scenario] of chosen.entries()) {
      const pace = {
        ...bench.pace,
        deadlineMs: startedMs + (deadlines[i] as number),
        ...(scenario.load.kind === 'streams' && { roundSeconds: streamedRoundSeconds }),
      }
      const result = await runScenario({ ...bench, pace }, scenario)
      results.push(result)
      write(scenarioText(summarizeScenario(result)))
    }
  })
  const judged = guardLimits(results)
  write(limitsText(judged, 'lost when even the lower quartile is above'))
  return judged.every(({ kept }) => kept === true) ? 0 : 1
}
