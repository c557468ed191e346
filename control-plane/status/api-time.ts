import type { Clock } from '../../core/clock.ts'

/** Now, as metav1.Time has it: whole seconds. */
export function apiTime(clock: Clock): string {
  return new Date(clock.wallMs()).toISOString().replace(/\.\d+Z$/, 'Z')
}
