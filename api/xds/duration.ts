/** google.protobuf.Duration from and to milliseconds. */
import type { Messages } from './messages.ts'

export type Duration = Messages['google.protobuf.Duration']

/** Fractions of a millisecond are kept, down to the nanosecond. */
export function toDuration(ms: number): Duration {
  const seconds = Math.floor(ms / 1000)
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) }
}
