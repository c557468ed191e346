/** What has to run once to know that everything runs. Pure. */
import { type Load, type Scenario, scenarioOf, type Subject } from './scenario.ts'

/**
 * The scenarios, each with its base and with those subjects that no scenario before it has put under this kind of load
 * in this topology and version of HTTP, or that have routes, spans or changes of their own.
 */
export function smokeScenarios(scenarios: readonly Scenario[]): readonly Scenario[] {
  const seen = new Set<string>()
  return scenarios.map((scenario) => {
    const { topology, load, base } = scenario
    const isNew = (subject: Subject): boolean => {
      const { peer, variant, changesPerSecond } = subject
      const { protocol } = scenarioOf(scenario, subject)
      const setup = JSON.stringify([peer, topology, protocol, load.kind, variant, changesPerSecond])
      if (seen.has(setup)) return false
      seen.add(setup)
      return true
    }
    const news = scenario.subjects.filter(isNew)
    const subjects = scenario.subjects.filter(
      (subject) => subject.name === base || subject.peer === 'weft' || news.includes(subject),
    )
    return { ...scenario, load: shortened(load), subjects }
  })
}

const smokeTransferBytes = 16 * 1024 * 1024

function shortened(load: Load): Load {
  return load.kind === 'transfer' ? { ...load, bytes: smokeTransferBytes } : load
}
