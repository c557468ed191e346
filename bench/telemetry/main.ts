/**
 * `npm run bench:telemetry`: what telemetry costs. One sidecar for each variant, rounds interleaved in one run, CPU per
 * request; fails when a limit is lost.
 */
import { parseArgs } from 'node:util'
import { runMain } from '../../core/main-guard.ts'
import type { Limit } from '../limits.ts'
import { plainGet } from '../load/request.ts'
import { smokePace, usualPace, withBench } from '../open-bench.ts'
import { type LimitSummary, summarizeScenario } from '../report/summary.ts'
import { limitsText, scenarioText } from '../report/text.ts'
import type { Scenario } from '../scenario.ts'
import { type Pace, runScenario } from '../suite.ts'
import { judge, type Verdict } from '../verdict.ts'
import { write } from '../write.ts'
import { type TelemetryVariant, variants } from './variants.ts'

const usage = `usage: npm run bench:telemetry -- [options]
  nothing          every variant; fails when one costs more than it may
  --only TEXT      those whose name has it, and what they are compared with
  --rounds N       how often each is measured (31)
  --smoke          one short round: whether everything runs, nothing is judged
`
const connections = 16
/** Many short rounds: what the variants differ by is less than what a busy machine does to a long one. */
const telemetryPace: Pace = { ...usualPace, rounds: 31, roundSeconds: 1 }

function scenarioOf(chosen: readonly TelemetryVariant[]): Scenario {
  return {
    name: 'telemetry',
    title: 'one proxy, saturated, by what it tells of its requests',
    topology: 'plain',
    load: { kind: 'saturated', connections },
    request: plainGet,
    subjects: chosen.map(({ name, variant }) => ({ name, peer: 'weft', variant, changesPerSecond: 0 })),
    base: (chosen[0] as TelemetryVariant).name,
    warmUp: 'saturated',
  }
}

function limitsOf(chosen: readonly TelemetryVariant[]): Limit[] {
  return chosen.flatMap(({ name, limit }) =>
    limit === undefined
      ? []
      : [
          {
            what: `CPU per request, ${name}, against ${limit.base}`,
            scenario: 'telemetry',
            subject: name,
            quantity: { kind: 'cpu-ratio', base: limit.base },
            atMost: limit.atMost,
            guarded: false,
          },
        ],
  )
}

function summaryOf({ limit, measured }: Verdict): LimitSummary {
  const { what, scenario, atMost } = limit
  const kept = measured !== undefined && measured.median <= atMost
  return { what, scenario, unit: '', atMost, measured: measured ?? null, kept }
}

/** The variants named, and those that they are divided by. */
function chosenBy(text: string): readonly TelemetryVariant[] {
  const named = variants.filter(({ name }) => name.includes(text))
  const bases = new Set(named.map(({ limit }) => limit?.base))
  return variants.filter((variant) => named.includes(variant) || bases.has(variant.name))
}

/** Gives the exit status. */
async function main(): Promise<number> {
  const flag = { type: 'boolean' } as const
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { only: text, rounds: text, smoke: flag, help: flag } })
  if (values.help === true) {
    write(usage)
    return 0
  }
  const pace = values.smoke === true ? smokePace : telemetryPace
  const rounds = values.rounds === undefined ? pace.rounds : Number(values.rounds)
  const chosen = chosenBy(values.only ?? '')
  const result = await withBench({ ...pace, rounds }, (bench) => runScenario(bench, scenarioOf(chosen)))
  write(scenarioText(summarizeScenario(result)))
  if (values.smoke === true) return 0
  const limits = judge(limitsOf(chosen), [result]).map(summaryOf)
  write(limitsText(limits, 'by the median'))
  return limits.every(({ kept }) => kept === true) ? 0 : 1
}

await runMain(async () => {
  process.exitCode = await main()
})
