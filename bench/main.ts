/** `npm run bench`: the sidecar's bundle beside other proxies: same backend, same load, rounds interleaved in one run. */
import path from 'node:path'
import { runMain } from '../core/main-guard.ts'
import { readArguments, usage } from './arguments.ts'
import { guard } from './guard.ts'
import { smokePace, usualPace, withBench } from './open-bench.ts'
import { installEnvoy } from './peers/envoy.ts'
import { profileScenario } from './profile/profile.ts'
import { resultsFolder, run } from './run.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import { smokeScenarios } from './smoke.ts'
import { soak } from './soak/soak.ts'
import type { Pace } from './suite.ts'
import { write } from './write.ts'

async function profile(chosen: readonly Scenario[]): Promise<number> {
  await withBench(usualPace, async (bench) => {
    for (const scenario of chosen) {
      const reports = await profileScenario(bench, scenario, resultsFolder)
      for (const { file, text } of reports) write(`${text}\n${path.relative(process.cwd(), file)}`)
    }
  })
  return 0
}

/** Gives the exit status. */
async function main(): Promise<number> {
  const { mode, scenarios: chosen, rounds, minutes } = readArguments(process.argv.slice(2), scenarios)
  const paced = (pace: Pace): Pace => ({ ...pace, rounds: rounds ?? pace.rounds })
  switch (mode) {
    case 'run':
      return run(chosen, paced(usualPace))
    case 'smoke':
      return run(smokeScenarios(chosen), paced(smokePace))
    case 'guard':
      return guard(scenarios, rounds)
    case 'profile':
      return profile(chosen)
    case 'soak':
      return soak(chosen, minutes)
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
