/** The chain of layers: each wraps the next handler; the first one given is the first that a request meets. */
import type { Handler } from './exchange.ts'

export type Layer = (next: Handler) => Handler

/** Composes layers top to bottom around the innermost handler; done once per configuration, never per request. */
export const compose =
  (...layers: readonly Layer[]): Layer =>
  (innermost) =>
    layers.reduceRight((inner, layer) => layer(inner), innermost)
