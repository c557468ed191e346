/** What a run has shown, in plain numbers: the JSON file, and what the tables and plots are made of. Pure. */
import { build, type Histogram } from 'hdr-histogram-js'
import { limits } from '../limits.ts'
import type { Machine } from '../machine.ts'
import { type Quartiles, quartiles } from '../quartiles.ts'
import { type Metric, type Sample, type ScenarioResult, type SubjectResult, unitOf } from '../scenario.ts'
import { cpuOf, isKept, judge, ratios } from '../verdict.ts'

const percentiles = { p50Us: 50, p90Us: 90, p99Us: 99, p999Us: 99.9 } as const

export type Column = Metric | keyof typeof percentiles | 'lateP99Us' | 'cpuRatio'

export type CurvePoint = { readonly percentile: number; readonly us: number }

export type SubjectSummary = {
  readonly name: string
  /** Over the rounds. */
  readonly columns: Readonly<Partial<Record<Column, Quartiles>>>
  /** As they were measured. */
  readonly rounds: readonly Sample['metrics'][]
  /** Of all rounds together, for a paced load. */
  readonly curve: readonly CurvePoint[]
}

export type ScenarioSummary = {
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly base: string
  readonly rounds: number
  readonly repeatedRounds: number
  readonly stealPercent: number
  readonly subjects: readonly SubjectSummary[]
  readonly missing: readonly string[]
}

export type LimitSummary = {
  readonly what: string
  readonly scenario: string
  readonly unit: string
  readonly atMost: number
  /** null: not measured in this run. */
  readonly measured: Quartiles | null
  readonly kept: boolean | null
}

export type RunFacts = {
  readonly startedAt: string
  readonly seconds: number
  readonly machine: Machine
  /** By name of the peer or tool. */
  readonly versions: Readonly<Record<string, string>>
  readonly roundSeconds: number
  /** Whether the peers had seen enough requests before: what is cold judges no limit. */
  readonly warm: boolean
}

export type FailedScenario = { readonly name: string; readonly reason: string }

export type RunSummary = RunFacts & {
  readonly scenarios: readonly ScenarioSummary[]
  readonly failed: readonly FailedScenario[]
  readonly limits: readonly LimitSummary[]
}

const metrics = [
  'cpuUs',
  'perSecond',
  'rssMb',
  'anonymousMb',
  'readyMs',
  'reconnects',
] as const satisfies Metric[]

function column(
  samples: readonly Sample[],
  value: (sample: Sample) => number | undefined,
): Quartiles | undefined {
  const values = samples.map(value).filter((each) => each !== undefined)
  return values.length === 0 ? undefined : quartiles(values)
}

function latencyColumns(samples: readonly Sample[]): Partial<Record<Column, Quartiles>> {
  const entries = Object.entries(percentiles).map(([name, percentile]) => [
    name,
    column(samples, ({ latencyUs }) => latencyUs?.getValueAtPercentile(percentile)),
  ])
  const lateP99Us = column(samples, ({ latenessUs }) => latenessUs?.getValueAtPercentile(99))
  return Object.fromEntries([...entries, ['lateP99Us', lateP99Us]].filter(([, each]) => each !== undefined))
}

function columnsOf(subject: SubjectResult, base: SubjectResult | undefined): SubjectSummary['columns'] {
  const columns: Partial<Record<Column, Quartiles>> = {}
  for (const metric of metrics) {
    const found = column(subject.samples, (sample) => sample.metrics[metric])
    if (found !== undefined) columns[metric] = found
  }
  if (columns.cpuUs !== undefined && base !== undefined)
    columns.cpuRatio = quartiles(ratios(cpuOf(subject), cpuOf(base)))
  return { ...columns, ...latencyColumns(subject.samples) }
}

/** Denser towards the end, where proxies differ: 0, 10, ... 90, 91, ... 99, 99.1, ... with up to `decades` nines. */
export function curvePercentiles(decades: number): number[] {
  return Array.from({ length: decades }, (_, decade) =>
    Array.from({ length: 9 }, (_unused, i) => Number((100 - (10 - i) * 10 ** (1 - decade)).toFixed(decades))),
  ).flat()
}

function merged(samples: readonly Sample[]): Histogram | undefined {
  const all = samples.map(({ latencyUs }) => latencyUs).filter((each) => each !== undefined)
  if (all.length === 0) return undefined
  const sum = build({ highestTrackableValue: 60_000_000 })
  for (const histogram of all) sum.add(histogram)
  return sum
}

export function summarizeScenario(result: ScenarioResult): ScenarioSummary {
  const { scenario, subjects, missing, repeated, steal } = result
  const base = subjects.find(({ name }) => name === scenario.base)
  return {
    name: scenario.name,
    title: scenario.title,
    unit: unitOf(scenario.load),
    base: scenario.base,
    rounds: subjects[0]?.samples.length ?? 0,
    repeatedRounds: repeated,
    stealPercent: 100 * steal,
    subjects: subjects.map((subject) => ({
      name: subject.name,
      columns: columnsOf(subject, base),
      rounds: subject.samples.map((sample) => sample.metrics),
      curve: curveOf(merged(subject.samples)),
    })),
    missing,
  }
}

/** As far as there are at least ten values beyond. */
function curveOf(histogram: Histogram | undefined): CurvePoint[] {
  if (histogram === undefined) return []
  return curvePercentiles(4)
    .filter((percentile) => histogram.totalCount * (1 - percentile / 100) >= 10)
    .map((percentile) => ({ percentile, us: histogram.getValueAtPercentile(percentile) }))
}

/** Limits of scenarios that were not asked for are left out. */
export function summarizeRun(
  facts: RunFacts,
  results: readonly ScenarioResult[],
  failed: readonly FailedScenario[],
): RunSummary {
  const run = new Set([...results.map(({ scenario }) => scenario.name), ...failed.map(({ name }) => name)])
  const concerned = facts.warm ? limits.filter(({ scenario }) => run.has(scenario)) : []
  return {
    ...facts,
    failed,
    scenarios: results.map(summarizeScenario),
    limits: judge(concerned, results).map((verdict) => ({
      what: verdict.limit.what,
      scenario: verdict.limit.scenario,
      unit: verdict.limit.quantity.kind === 'metric' ? verdict.limit.quantity.unit : '',
      atMost: verdict.limit.atMost,
      measured: verdict.measured ?? null,
      kept: verdict.measured === undefined ? null : isKept(verdict),
    })),
  }
}
