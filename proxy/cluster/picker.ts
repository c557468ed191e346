import type { Endpoint } from './endpoint.ts'

/**
 * Chooses an endpoint for one attempt. Immutable: an update publishes another picker. `avoid` names the endpoints of
 * earlier attempts; they are chosen only when nothing else is left. Undefined: there is no endpoint at all.
 */
export interface Picker {
  pick(nowMs: number, avoid: readonly Endpoint[]): Endpoint | undefined
}
