/** Runs scenarios and reports them: on the terminal, and as files. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { reasonOf } from '../core/errors.ts'
import { Generator } from './load/generator.ts'
import { readMachine } from './machine.ts'
import { withBench } from './open-bench.ts'
import { peers } from './peers.ts'
import { versionOf } from './process.ts'
import { pageHtml } from './report/page.ts'
import { type FailedScenario, type RunSummary, summarizeRun, summarizeScenario } from './report/summary.ts'
import { factsText, limitsText, scenarioText } from './report/text.ts'
import type { Scenario, ScenarioResult } from './scenario.ts'
import { type Bench, type Pace, runScenario } from './suite.ts'
import { write } from './write.ts'

export const resultsFolder = path.join(import.meta.dirname, 'results')

function versions(chosen: readonly Scenario[]): Record<string, string> {
  const used = new Set(chosen.flatMap(({ subjects }) => subjects.map(({ peer }) => peer)))
  const named = peers.filter(({ name, available }) => used.has(name) && available() === true)
  return {
    node: process.versions.node,
    backend: `nginx ${versionOf('nginx', ['-v'], /nginx\/([0-9.]+)/)}`,
    wrk: versionOf('wrk', ['-v'], /wrk (?:debian\/)?([0-9.]+)/),
    ...Object.fromEntries(
      named.map(({ name, version }) => [name, version()]).filter(([, version]) => version !== ''),
    ),
  }
}

function writeReport(summary: RunSummary): void {
  mkdirSync(resultsFolder, { recursive: true })
  const file = path.join(resultsFolder, summary.startedAt.replaceAll(':', '-'))
  writeFileSync(`${file}.json`, `${JSON.stringify(summary, null, 1)}\n`)
  writeFileSync(`${file}.html`, pageHtml(summary))
  write(`\n${path.relative(process.cwd(), file)}.json and .html`)
}

type Outcome = { readonly results: readonly ScenarioResult[]; readonly failed: readonly FailedScenario[] }

/** A change that is to be seen by itself needs a machine that is not busy with another scenario. */
function needsTime({ subjects }: Scenario): boolean {
  return subjects.some(({ changesPerSecond }) => changesPerSecond > 0)
}

/** A scenario that fails takes the others not with it. */
async function runEach(chosen: readonly Scenario[], pace: Pace): Promise<Outcome> {
  const results: ScenarioResult[] = []
  const failed: FailedScenario[] = []
  const runAll = async (bench: Bench, scenarios: Iterable<Scenario>): Promise<void> => {
    for (const scenario of scenarios) {
      try {
        const result = await runScenario(bench, scenario)
        results.push(result)
        write(scenarioText(summarizeScenario(result)))
      } catch (error) {
        failed.push({ name: scenario.name, reason: reasonOf(error) })
        write(`\n${scenario.name}: failed: ${reasonOf(error)}`)
      }
    }
  }
  await withBench(pace, async (bench) => {
    const alone = pace.lanes === 1 ? chosen : chosen.filter(needsTime)
    const left = chosen.filter((scenario) => !alone.includes(scenario)).values()
    await inLanes(bench, pace.lanes, (lane) => runAll(lane, left))
    await runAll(bench, alone)
  })
  return { results, failed }
}

/** Each lane has a load of its own to make; the rest they share. */
async function inLanes(bench: Bench, lanes: number, runLane: (bench: Bench) => Promise<void>): Promise<void> {
  const further = Array.from({ length: lanes - 1 }, () => new Generator())
  const benches = [bench, ...further.map((generator) => ({ ...bench, generator }))]
  try {
    await Promise.all(benches.map(runLane))
  } finally {
    for (const generator of further) generator.stop()
  }
}

/** Gives the exit status: 1 when a scenario failed or, with CI=true, a peer is missing. Limits do not change it. */
export async function run(chosen: readonly Scenario[], pace: Pace): Promise<number> {
  const startedAt = new Date().toISOString()
  const startedMs = performance.now()
  // Now, because the tree and the machine may be others at the end.
  const before = { startedAt, machine: readMachine(), versions: versions(chosen) }
  const { results, failed } = await runEach(chosen, pace)
  const seconds = (performance.now() - startedMs) / 1000
  const facts = { ...before, seconds, roundSeconds: pace.roundSeconds, warm: pace.warmUpRequests > 0 }
  const summary = summarizeRun(facts, results, failed)
  if (summary.limits.length > 0) write(limitsText(summary.limits, 'by the median'))
  write(factsText(summary))
  writeReport(summary)
  const lacking = process.env['CI'] === 'true' && results.some(({ missing }) => missing.length > 0)
  if (lacking) write('with CI=true nobody may be missing')
  return failed.length > 0 || lacking ? 1 : 0
}
