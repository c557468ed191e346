/** Judges the results by the limits. Pure. */
import type { Limit } from './limits.ts'
import { type Quartiles, quartiles } from './quartiles.ts'
import type { Sample, ScenarioResult, SubjectResult } from './scenario.ts'

export type Verdict = {
  readonly limit: Limit
  /** undefined: not measured in this run. */
  readonly measured: Quartiles | undefined
}

/** Each round's value of the subject over the base's of the same round. */
export function ratios(values: readonly number[], bases: readonly number[]): number[] {
  return values.map((value, i) => value / (bases[i] ?? Number.NaN))
}

export function cpuOf({ samples }: SubjectResult): number[] {
  return samples.map(({ metrics }) => metrics.cpuUs ?? Number.NaN)
}

function ratesOf({ samples }: SubjectResult): number[] {
  return samples.map(({ metrics }) => metrics.perSecond ?? Number.NaN)
}

function p99(sample: Sample | undefined): number {
  return sample?.latencyUs?.getValueAtPercentile(99) ?? Number.NaN
}

/** The median of what it adds to `direct`: a single round's difference of two tails is mostly noise. */
function addedP99(subject: SubjectResult, direct: SubjectResult): Quartiles {
  return quartiles(subject.samples.map((sample, i) => p99(sample) - p99(direct.samples[i])))
}

function measured(limit: Limit, { subjects }: ScenarioResult): Quartiles | undefined {
  const named = (wanted: string): SubjectResult | undefined => subjects.find(({ name }) => name === wanted)
  const subject = named(limit.subject)
  if (subject === undefined) return undefined
  const { quantity } = limit
  switch (quantity.kind) {
    case 'cpu-ratio': {
      const base = named(quantity.base)
      return base === undefined ? undefined : quartiles(ratios(cpuOf(subject), cpuOf(base)))
    }
    case 'time-ratio': {
      const base = named(quantity.base)
      return base === undefined ? undefined : quartiles(ratios(ratesOf(base), ratesOf(subject)))
    }
    case 'added-p99-ratio': {
      const [base, direct] = [named(quantity.base), named('direct')]
      if (base === undefined || direct === undefined) return undefined
      const { median } = addedP99(base, direct)
      const { lower, median: own, upper } = addedP99(subject, direct)
      return { lower: lower / median, median: own / median, upper: upper / median }
    }
    case 'metric':
      return quartiles(subject.samples.map(({ metrics }) => metrics[quantity.metric] ?? Number.NaN))
  }
}

export function judge(limits: readonly Limit[], results: readonly ScenarioResult[]): Verdict[] {
  return limits.map((limit) => {
    const result = results.find(({ scenario }) => scenario.name === limit.scenario)
    return { limit, measured: result === undefined ? undefined : measured(limit, result) }
  })
}

/** Whether the promise is kept by the median. */
export function isKept({ limit, measured: of }: Verdict): boolean {
  return of !== undefined && of.median <= limit.atMost
}

/** Whether it is lost beyond noise: even the lower quartile is above the limit, or there is nothing to judge by. */
export function isLost({ limit, measured: of }: Verdict): boolean {
  return of === undefined || !(of.lower <= limit.atMost)
}
