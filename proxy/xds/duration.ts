import type { Duration } from '../../api/xds/types.ts'

/** Milliseconds; undefined for none. */
export function durationMs(duration: Duration | undefined): number | undefined {
  if (duration === undefined) return undefined
  const ms = (duration.seconds ?? 0) * 1000 + (duration.nanos ?? 0) / 1e6
  // Envoy reads a zero timeout as none.
  return ms > 0 ? ms : undefined
}
