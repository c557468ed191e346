/** A TrafficPolicy's `retries`. */
import {
  defaultRetries,
  type HedgingSettings,
  type RetrySettings,
  retryConditions,
} from '../model/traffic-settings.ts'
import type { FieldReader } from './field-reader.ts'

const method = /^[A-Z][A-Z-]{0,31}$/

/** `503`, or a range such as `500-504`; undefined for what is neither. */
export function parseStatusCodes(text: string): readonly number[] | undefined {
  const match = /^([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?$/.exec(text)
  if (match === null) return undefined
  const first = Number(match[1])
  const last = Number(match[2] ?? match[1])
  return first > last ? undefined : Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

function readStatusCodes(field: FieldReader): readonly number[] {
  const { raw } = field
  const codes = typeof raw === 'number' || typeof raw === 'string' ? parseStatusCodes(String(raw)) : undefined
  if (codes === undefined) field.problem("must be a status code, or a range such as '500-504'")
  return codes ?? []
}

function readMethods(field: FieldReader): readonly string[] | undefined {
  if (!field.present) return undefined
  return field.list().map((entry) => {
    const name = entry.requiredString()
    if (!method.test(name)) entry.problem('must be a method in capital letters')
    return name
  })
}

function readBackoff(field: FieldReader): RetrySettings['backoff'] {
  field.only(['base', 'max', 'retryAfter'])
  const baseMs = field.at('base').durationMs() ?? defaultRetries.backoff.baseMs
  const maxMs = field.at('max').durationMs() ?? baseMs * 10
  if (maxMs < baseMs) field.at('max').problem('must not be shorter than base')
  return { minMs: 0, baseMs, maxMs, retryAfterMaxMs: field.at('retryAfter').durationMs() }
}

function readBudget(field: FieldReader): RetrySettings['budget'] {
  field.only(['ratioPercent', 'minPerSecond', 'ttl'])
  const { budget } = defaultRetries
  return {
    ratioPercent: field.at('ratioPercent').number(0, 100) ?? budget.ratioPercent,
    minPerSecond: field.at('minPerSecond').number(0, 1_000_000) ?? budget.minPerSecond,
    ttlMs: field.at('ttl').durationMs() ?? budget.ttlMs,
  }
}

function readHedging(field: FieldReader): HedgingSettings | undefined {
  if (!field.present) return undefined
  field.only(['delay', 'percentile'])
  const delayMs = field.at('delay').durationMs()
  const percentile = field.at('percentile').number(1, 99.99)
  if (field.at('delay').present === field.at('percentile').present)
    field.problem('must have either a delay or a percentile')
  if (delayMs !== undefined) return { kind: 'delay', delayMs }
  return percentile === undefined ? undefined : { kind: 'percentile', percentile }
}

export function readRetries(field: FieldReader): RetrySettings | undefined {
  if (!field.present) return undefined
  field.only([
    'conditions',
    'statusCodes',
    'methods',
    'limit',
    'perTryTimeout',
    'backoff',
    'budget',
    'hedging',
  ])
  const codes = field.at('statusCodes').list().flatMap(readStatusCodes)
  return {
    conditions: field
      .at('conditions')
      .list()
      .flatMap((entry) => entry.choice(retryConditions) ?? []),
    statusCodes: [...new Set(codes)].toSorted((a, b) => a - b),
    methods: readMethods(field.at('methods')),
    limit: field.at('limit').integer(0, 10) ?? defaultRetries.limit,
    perTryTimeoutMs: field.at('perTryTimeout').durationMs(),
    backoff: readBackoff(field.at('backoff')),
    budget: readBudget(field.at('budget')),
    hedging: readHedging(field.at('hedging')),
  }
}
