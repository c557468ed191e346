/**
 * What may stand still on one connection without holding up what moves on. Parked is what was received for streams whose
 * readers have to wait; the connection's credit does not wait for them, up to a limit that only those reach who do not
 * keep to their windows.
 */
import { maxFrameBytes } from './frame-types.ts'
import {
  initialConnectionWindowBytes,
  initialStreamWindowBytes,
  loweredStreamWindowBytes,
  maxConcurrentMeshStreams,
  maxConcurrentStreams,
  maxStreamsToPeer,
  maxStreamWindowBytes,
} from './limits.ts'

export type FlowLimits = {
  /** The connection's window at most. */
  readonly maxWindowBytes: number
  /** Parked: beyond it the window of every stream is lowered. */
  readonly lowerAboveBytes: number
  /** What the windows of all streams that move fast may have beyond that which every one begins with. */
  readonly maxGrownBytes: number
  /** And up to that, after they were lowered: most of them will stand still too. */
  readonly maxRegrownBytes: number
  /** Parked: beyond it the connection gets no credit for what is parked. */
  readonly maxParkedBytes: number
}

/**
 * The most that can be parked by who keeps to the windows: what there is when they are lowered, what the peer sends
 * before it knows, and then the windows of all streams. A lower limit could be reached by streams that stand still, and
 * then those that move on would get no credit either.
 */
function limitsOf(streams: number, windows: Omit<FlowLimits, 'maxParkedBytes'>): FlowLimits {
  const { lowerAboveBytes, maxWindowBytes, maxGrownBytes, maxRegrownBytes } = windows
  const untilLoweredBytes = lowerAboveBytes + maxFrameBytes + maxWindowBytes
  const windowsBytes = streams * loweredStreamWindowBytes + maxGrownBytes + maxRegrownBytes
  return { ...windows, maxParkedBytes: untilLoweredBytes + windowsBytes }
}

/** Of a client who has proven nothing: one of its streams may have the largest window. */
export const strangerFlow = limitsOf(maxConcurrentStreams, {
  maxWindowBytes: maxStreamWindowBytes + initialConnectionWindowBytes,
  lowerAboveBytes: 2 * 1024 * 1024,
  maxGrownBytes: maxStreamWindowBytes - initialStreamWindowBytes,
  maxRegrownBytes: 1024 * 1024,
})

/** Of another sidecar, for all of its clients, and of upstreams, whom we have chosen. */
export const trustedFlow = limitsOf(Math.max(maxConcurrentMeshStreams, maxStreamsToPeer), {
  maxWindowBytes: 2 * maxStreamWindowBytes,
  lowerAboveBytes: 8 * 1024 * 1024,
  maxGrownBytes: 24 * 1024 * 1024,
  maxRegrownBytes: 2 * 1024 * 1024,
})

/** Parked: below it windows that were lowered are raised again. */
export const raiseWindowsBelowBytes = 1024 * 1024
/** Parked by a client who has proven nothing, while memory is short: beyond it there is no credit for what is parked. */
export const crowdedParkedBytes = 256 * 1024
