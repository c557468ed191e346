/**
 * `npm run bench`: the sidecar's bundle beside other proxies: same backend, same load, rounds interleaved in one run.
 *   -- --scenario NAME[,NAME...]   only these   -- --rounds N   -- --guard
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { bundleProcesses } from '../deploy/bundle.ts'
import { startBackend } from './backend.ts'
import { Generator } from './load/generator.ts'
import { limits } from './limits.ts'
import { direct } from './peers/direct.ts'
import { haproxy } from './peers/haproxy.ts'
import { httpProxy } from './peers/http-proxy.ts'
import { weft } from './peers/weft.ts'
import { isInstalled } from './process.ts'
import { quartiles } from './quartiles.ts'
import { scenarios } from './scenarios.ts'
import { runScenario, type ScenarioResult } from './suite.ts'

const peers = [direct, haproxy, weft, httpProxy]

function write(line: string): void {
  process.stdout.write(`${line}\n`)
}

function report({ scenario, subjects, missing }: ScenarioResult): void {
  write(`\n${scenario.name}: ${scenario.title}; medians (quartiles)`)
  const base = subjects.find(({ name }) => name === scenario.base)
  for (const { name, rounds } of subjects) {
    const cost = quartiles(rounds.map(({ cpuUs }) => cpuUs))
    const ratio = quartiles(rounds.map(({ cpuUs }, i) => cpuUs / (base?.rounds[i]?.cpuUs ?? Number.NaN)))
    const rate = quartiles(rounds.map(({ requests, seconds }) => requests / seconds))
    const latency = rounds.map(({ latencyUs }) => latencyUs).filter((histogram) => histogram !== undefined)
    const all = latency[0]
    for (const more of latency.slice(1)) all?.add(more)
    const percentiles =
      all === undefined
        ? ''
        : `  p50 ${all.getValueAtPercentile(50)} us  p99 ${all.getValueAtPercentile(99)} us`
    write(
      `  ${name.padEnd(18)} ${cost.median.toFixed(1).padStart(6)} us CPU per request` +
        `  ${ratio.median.toFixed(2)} (${ratio.lower.toFixed(2)} to ${ratio.upper.toFixed(2)}) x ${scenario.base}` +
        `  ${rate.median.toFixed(0).padStart(6)}/s${percentiles}`,
    )
  }
  for (const reason of missing) write(`  missing: ${reason}`)
}

/** True when no lower quartile is above its limit: then what is above is no noise. */
function held(results: readonly ScenarioResult[]): boolean {
  const verdicts = limits.map(({ what, scenario, subject, base, atMost }) => {
    const subjects = results.find((result) => result.scenario.name === scenario)?.subjects ?? []
    const rounds = subjects.find(({ name }) => name === subject)?.rounds ?? []
    const bases = subjects.find(({ name }) => name === base)?.rounds ?? []
    const { lower } = quartiles(rounds.map(({ cpuUs }, i) => cpuUs / (bases[i]?.cpuUs ?? Number.NaN)))
    const ok = lower <= atMost
    write(`guard: ${what}: lower quartile ${lower.toFixed(2)}, at most ${atMost}: ${ok ? 'ok' : 'LOST'}`)
    return ok
  })
  return verdicts.every((ok) => ok)
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      guard: { type: 'boolean' },
    },
  })
  for (const tool of ['nginx', 'wrk']) {
    if (!isInstalled(tool)) throw new Error(`${tool} is not installed (apt-get install ${tool})`)
  }
  const guarded = values.guard === true ? limits.map(({ scenario }) => scenario) : undefined
  const named = guarded ?? values.scenario?.flatMap((names) => names.split(','))
  const chosen = scenarios.filter(({ name }) => named?.includes(name) ?? true)
  await bundleProcesses()
  const folder = mkdtempSync(path.join(tmpdir(), 'weft-bench-'))
  const backend = await startBackend(folder)
  const generator = new Generator()
  const results: ScenarioResult[] = []
  const pace = { rounds: Number(values.rounds ?? 11), roundSeconds: 2, warmUpRequests: 50_000 }
  try {
    for (const scenario of chosen) {
      const result = await runScenario({ peers, backend, generator, folder, pace, log: write }, scenario)
      report(result)
      results.push(result)
    }
  } finally {
    generator.stop()
    await backend.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return values.guard !== true || held(results) ? 0 : 1
}

process.exitCode = await main()
