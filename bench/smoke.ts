/** What has to run once to know that everything runs. Pure. */
import type { Scenario, Subject } from './scenario.ts'

/**
 * The scenarios, each with its base and with those subjects that no scenario before it has put under this kind of load
 * in this topology and version of HTTP, or that have routes, spans or changes of their own.
 */
export function smokeScenarios(scenarios: readonly Scenario[]): readonly Scenario[] {
  const seen = new Set<string>()
  return scenarios.map((scenario) => {
    const { topology, protocol, load, base } = scenario
    const isNew = ({ peer, variant, changesPerSecond }: Subject): boolean => {
      const setup = JSON.stringify([peer, topology, protocol, load.kind, variant, changesPerSecond])
      if (seen.has(setup)) return false
      seen.add(setup)
      return true
    }
    const news = scenario.subjects.filter(isNew)
    const subjects = scenario.subjects.filter(
      (subject) => subject.name === base || subject.peer === 'weft' || news.includes(subject),
    )
    return { ...scenario, subjects }
  })
}
