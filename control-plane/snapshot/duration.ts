import type { Duration } from '../../api/xds/types.ts'

/** Milliseconds as protobuf has them. */
export function durationOf(ms: number): Duration {
  const seconds = Math.floor(ms / 1000)
  const nanos = Math.round((ms - seconds * 1000) * 1e6)
  // What is zero is left out: gRPC's own client takes a zero for a digit.
  return { ...(seconds === 0 ? {} : { seconds }), ...(nanos === 0 ? {} : { nanos }) }
}
