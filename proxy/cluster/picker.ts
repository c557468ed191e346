import type { Endpoint } from './endpoint.ts'

/**
 * Chooses an endpoint for one attempt. Its set of endpoints never changes: an update publishes another picker. `avoid`
 * names the endpoints of earlier attempts; they are chosen only when nothing else is left. `hash` is the request's, for
 * pickers that keep equal ones together. Undefined: there is no endpoint at all.
 */
export interface Picker {
  pick(nowMs: number, avoid: readonly Endpoint[], hash: number | undefined): Endpoint | undefined
}

/** Those that are not in `avoid`; all of them when nothing else is left. */
export function without(endpoints: readonly Endpoint[], avoid: readonly Endpoint[]): readonly Endpoint[] {
  const left = endpoints.filter((endpoint) => !avoid.includes(endpoint))
  return left.length === 0 ? endpoints : left
}
