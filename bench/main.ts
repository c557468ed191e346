/** `npm run bench`: the sidecar's bundle beside other proxies: same backend, same load, rounds interleaved in one run. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { reasonOf, WeftError } from '../core/errors.ts'
import { runMain } from '../core/main-guard.ts'
import { bundleProcesses } from '../deploy/bundle.ts'
import { type BenchArguments, readArguments, usage } from './arguments.ts'
import { startBackend } from './backend.ts'
import { guardDeadlinesMs, guardLimits, guardRounds, guardScenarios } from './guard.ts'
import { Generator } from './load/generator.ts'
import { readMachine } from './machine.ts'
import { peers } from './peers.ts'
import { installEnvoy } from './peers/envoy.ts'
import { isInstalled, versionOf } from './process.ts'
import { profileScenario } from './profile/profile.ts'
import { pageHtml } from './report/page.ts'
import { type FailedScenario, type RunSummary, summarizeRun, summarizeScenario } from './report/summary.ts'
import { factsText, limitsText, scenarioText } from './report/text.ts'
import type { Scenario, ScenarioResult } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import { type Bench, type Pace, runScenario } from './suite.ts'

const resultsFolder = path.join(import.meta.dirname, 'results')
const usualPace: Pace = {
  rounds: 11,
  spareRounds: 5,
  roundSeconds: 2,
  warmUpRequests: 50_000,
  deadlineMs: Number.POSITIVE_INFINITY,
}

/** Whether everything runs; nothing is warm. */
const smokePace: Pace = { ...usualPace, rounds: 1, spareRounds: 0, roundSeconds: 1, warmUpRequests: 0 }

function write(line: string): void {
  process.stdout.write(`${line}\n`)
}

function progress(line: string): void {
  if (process.stdout.isTTY) write(line)
}

/** Everything that a measurement stands on, for as long as `use` takes. */
async function withBench<T>(pace: Pace, use: (bench: Bench) => Promise<T>): Promise<T> {
  const missing = ['nginx', 'wrk', 'setpriv'].filter((tool) => !isInstalled(tool))
  if (missing.length > 0)
    throw new WeftError('CONFIG_INVALID', 'the bench needs programs that are not installed', {
      detail: missing,
    })
  await bundleProcesses()
  await using stack = new AsyncDisposableStack()
  const folder = mkdtempSync(path.join(tmpdir(), 'weft-bench-'))
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true })
  stack.defer(removeFolder)
  // The kernel ends the processes; the folder is left to us.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      removeFolder()
      process.exit(1)
    })
  const backend = await startBackend(folder)
  stack.defer(() => backend.stop())
  const generator = new Generator()
  stack.defer(() => generator.stop())
  return await use({ peers, backend, generator, folder, pace, progress })
}

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

/** A scenario that fails takes the others not with it; the exit status tells. */
async function runAll({ scenarios: chosen, rounds }: BenchArguments, usual: Pace): Promise<number> {
  const pace = { ...usual, rounds: rounds ?? usual.rounds }
  const startedAt = new Date().toISOString()
  const startedMs = performance.now()
  const results: ScenarioResult[] = []
  const failed: FailedScenario[] = []
  await withBench(pace, async (bench) => {
    for (const scenario of chosen) {
      try {
        const result = await runScenario(bench, scenario)
        results.push(result)
        write(scenarioText(summarizeScenario(result)))
      } catch (error) {
        failed.push({ name: scenario.name, reason: reasonOf(error) })
        write(`\n${scenario.name}: failed: ${reasonOf(error)}`)
      }
    }
  })
  const facts = {
    startedAt,
    seconds: (performance.now() - startedMs) / 1000,
    machine: readMachine(),
    versions: versions(chosen),
    roundSeconds: pace.roundSeconds,
  }
  const summary = summarizeRun(facts, results, failed)
  if (summary.limits.length > 0) write(limitsText(summary.limits, 'by the median'))
  write(factsText(summary))
  writeReport(summary)
  const missing = results.some((result) => result.missing.length > 0)
  if (missing && process.env['CI'] === 'true') write('with CI=true nobody may be missing')
  return failed.length > 0 || (missing && process.env['CI'] === 'true') ? 1 : 0
}

async function guard({ rounds = guardRounds }: BenchArguments): Promise<number> {
  const chosen = guardScenarios(scenarios)
  const deadlines = guardDeadlinesMs(chosen)
  const startedMs = performance.now()
  const results: ScenarioResult[] = []
  await withBench({ ...usualPace, rounds, spareRounds: 3, roundSeconds: 1 }, async (bench) => {
    for (const [i, scenario] of chosen.entries()) {
      const pace = { ...bench.pace, deadlineMs: startedMs + (deadlines[i] as number) }
      const result = await runScenario({ ...bench, pace }, scenario)
      results.push(result)
      write(scenarioText(summarizeScenario(result)))
    }
  })
  const judged = guardLimits(results)
  write(limitsText(judged, 'lost when even the lower quartile is above'))
  return judged.every(({ kept }) => kept === true) ? 0 : 1
}

async function profile({ scenarios: chosen }: BenchArguments): Promise<number> {
  const [scenario] = chosen
  if (scenario === undefined) return 1
  const reports = await withBench(usualPace, (bench) => profileScenario(bench, scenario, resultsFolder))
  for (const { file, text } of reports) write(`${text}\n${path.relative(process.cwd(), file)}`)
  return 0
}

async function main(): Promise<number> {
  const given = readArguments(process.argv.slice(2), scenarios)
  switch (given.mode) {
    case 'run':
      return runAll(given, usualPace)
    case 'smoke':
      return runAll(given, smokePace)
    case 'guard':
      return guard(given)
    case 'profile':
      return profile(given)
    case 'install':
      installEnvoy()
      return 0
    case 'list':
      for (const { name, title } of scenarios) write(`${name.padEnd(24)} ${title}`)
      return 0
    case 'help':
      write(usage)
      return 0
  }
}

await runMain(async () => {
  process.exitCode = await main()
})
