/** What the injector counts. */
import { Counter } from 'prom-client'
import type { Registry } from '../core/metrics.ts'

export type WebhookMetrics = {
  readonly decisions: Counter<'outcome'>
  readonly conversions: Counter
  readonly malformed: Counter
  readonly failures: Counter
}

export function registerWebhookMetrics(registry: Registry): WebhookMetrics {
  const registers = [registry]
  const decisions = new Counter({
    name: 'injector_decisions_total',
    help: 'Pods decided on, by outcome: injected, skipped or refused; dry runs are not counted',
    labelNames: ['outcome'],
    registers,
  })
  // So that there is a rate from the first one on.
  for (const outcome of ['injected', 'skipped', 'refused']) decisions.inc({ outcome }, 0)
  return {
    decisions,
    conversions: new Counter({
      name: 'injector_conversions_total',
      help: 'Objects of SMI that were asked for in another version than they are stored in',
      registers,
    }),
    malformed: new Counter({
      name: 'injector_malformed_reviews_total',
      help: 'Requests that were no AdmissionReview v1 or ConversionReview v1',
      registers,
    }),
    failures: new Counter({
      name: 'injector_failures_total',
      help: 'Reviews that could not be answered, so that a failurePolicy decided',
      registers,
    }),
  }
}
