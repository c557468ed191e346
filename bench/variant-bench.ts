/** What variants of a sidecar cost against one of them: rounds interleaved in one run, CPU per request. */
import { parseArgs } from 'node:util'
import type { Limit } from './limits.ts'
import { smokePace, usualPace, withBench } from './open-bench.ts'
import { type LimitSummary, summarizeScenario } from './report/summary.ts'
import { limitsText, scenarioText } from './report/text.ts'
import type { RequestShape } from './load/request.ts'
import type { Variant } from './peer.ts'
import type { Load, Scenario, ScenarioResult } from './scenario.ts'
import { type Pace, runScenario } from './suite.ts'
import { judge, type Verdict } from './verdict.ts'
import { write } from './write.ts'

/** By the variant that it is divided by: CPU per request, medians. */
export type VariantLimit = { readonly what: string; readonly base: string; readonly atMost: number }

export type BenchVariant = {
  readonly name: string
  /** What the sidecar is started with. */
  readonly variant: Variant
  readonly limits: readonly VariantLimit[]
}

/** Variants side by side under one load; the table divides by `base`. */
export type VariantGroup = {
  readonly name: string
  readonly title: string
  readonly base: string
  readonly load: Load
  readonly request: RequestShape
  readonly variants: readonly BenchVariant[]
}

function usageOf(name: string): string {
  return `usage: npm run bench:${name} -- [options]
  nothing          every variant; fails when one costs more than it may
  --only TEXT      those whose name has it, and what they are compared with
  --rounds N       how often each is measured (${variantPace.rounds})
  --smoke          one short round: whether everything runs, nothing is judged
`
}

/** Many short rounds: what the variants differ by is less than what a busy machine does to a long one. */
const variantPace: Pace = { ...usualPace, rounds: 31, roundSeconds: 1 }

function scenarioOf({ name, title, base, load, request, variants }: VariantGroup): Scenario {
  return {
    name,
    title,
    topology: 'plain',
    protocol: 'http1',
    load,
    request,
    subjects: variants.map((each) => ({ ...each, peer: 'weft', changesPerSecond: 0 })),
    base,
    warmUp: 'saturated',
  }
}

function limitsOf({ name: scenario, variants }: VariantGroup): Limit[] {
  return variants.flatMap(({ name: subject, limits }) =>
    limits.map(({ what, base, atMost }) => ({
      what: `CPU per request, ${what}, against ${base}`,
      scenario,
      subject,
      quantity: { kind: 'cpu-ratio', base },
      atMost,
      guarded: false,
    })),
  )
}

function summaryOf({ limit, measured }: Verdict): LimitSummary {
  const { what, scenario, atMost } = limit
  const kept = measured !== undefined && measured.median <= atMost
  return { what, scenario, unit: '', atMost, measured: measured ?? null, kept }
}

/** The variants named, by themselves or by a limit, and those that they are divided by; no group without any. */
function chosenBy(text: string, groups: readonly VariantGroup[]): readonly VariantGroup[] {
  return groups.flatMap((group) => {
    const named = group.variants.flatMap((variant) => {
      const limits = variant.limits.filter(({ what }) => what.includes(text))
      return variant.name.includes(text) || limits.length > 0 ? [{ ...variant, limits }] : []
    })
    if (named.every(({ limits }) => limits.length === 0)) return []
    const bases = new Set(named.flatMap(({ limits }) => limits.map(({ base }) => base)))
    const variants = group.variants.flatMap(
      (variant) =>
        named.find(({ name }) => name === variant.name) ??
        (bases.has(variant.name) || variant.name === group.base ? [{ ...variant, limits: [] }] : []),
    )
    return [{ ...group, variants }]
  })
}

/** Runs `npm run bench:NAME` as the arguments of the process say, and gives the exit status. */
export async function runVariants(name: string, groups: readonly VariantGroup[]): Promise<number> {
  const flag = { type: 'boolean' } as const
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { only: text, rounds: text, smoke: flag, help: flag } })
  if (values.help === true) {
    write(usageOf(name))
    return 0
  }
  const pace = values.smoke === true ? smokePace : variantPace
  const rounds = values.rounds === undefined ? pace.rounds : Number(values.rounds)
  const chosen = chosenBy(values.only ?? '', groups)
  const results: ScenarioResult[] = []
  await withBench({ ...pace, rounds }, async (bench) => {
    for (const group of chosen) {
      const result = await runScenario(bench, scenarioOf(group))
      results.push(result)
      write(scenarioText(summarizeScenario(result)))
    }
  })
  if (values.smoke === true) return 0
  const limits = judge(chosen.flatMap(limitsOf), results).map(summaryOf)
  write(limitsText(limits, 'by the median'))
  return limits.every(({ kept }) => kept === true) ? 0 : 1
}
