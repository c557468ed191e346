/** What the injector counts. */
import { Counter } from 'prom-client'
import type { Registry } from '../core/metrics.ts'

export type WebhookMetrics = {
  readonly decisions: Counter<'outcome'>
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
    malformed: new Counter({
      name: 'injector_malformed_reviews_total',
      help: 'Requests that were no AdmissionReview v1',
      registers,
    }),
    failures: new Counter({
      name: 'injector_failures_total',
      help: 'Pods that could not be decided on, so that the failurePolicy did',
      registers,
    }),
  }
}
