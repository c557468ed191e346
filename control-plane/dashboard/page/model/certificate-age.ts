/** How much of its life a sidecar's certificate has left. Pure. */
import type { LiveSidecar } from '../../../../api/live.ts'

export type CertificateState = 'good' | 'ending' | 'ended' | 'none'

/** A sidecar renews at half of the life: one that has less than this left did not manage to. */
const endingMs = 3_600_000

export function certificateState({ certificateNotAfterMs }: LiveSidecar, nowMs: number): CertificateState {
  if (certificateNotAfterMs === null) return 'none'
  const leftMs = certificateNotAfterMs - nowMs
  if (leftMs <= 0) return 'ended'
  return leftMs < endingMs ? 'ending' : 'good'
}
