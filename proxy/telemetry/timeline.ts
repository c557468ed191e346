/** When what happened to one exchange, attempt by attempt: kept only of those that are traced or logged. */

/** One attempt; times in ms by the monotonic clock, 0: that has not happened. */
export class AttemptTimes {
  readonly cluster: string
  /** `address:port` of its endpoint, and whose that is where it is known. */
  readonly upstream: string
  readonly principal: string | undefined
  readonly startedMs: number
  /** Why it was made; empty of the first one. */
  reason = ''
  /** Its own span; empty: that of the exchange. */
  spanId = ''
  /** A new connection was accepted, and its handshake done; neither on one that was there already. */
  connectedMs = 0
  securedMs = 0
  sentMs = 0
  repliedMs = 0
  endedMs = 0
  status = 0
  /** Why there was no reply, in a word. */
  failure = ''

  constructor(cluster: string, upstream: string, principal: string | undefined, startedMs: number) {
    this.cluster = cluster
    this.upstream = upstream
    this.principal = principal
    this.startedMs = startedMs
  }
}

export class Timeline {
  readonly attempts: AttemptTimes[] = []
  /** Of the span that holds those of the attempts, once there are several. */
  groupSpanId = ''

  begin(cluster: string, upstream: string, principal: string | undefined, nowMs: number): AttemptTimes {
    const times = new AttemptTimes(cluster, upstream, principal, nowMs)
    this.attempts.push(times)
    return times
  }
}

/** How an attempt's time was spent, in ms. */
export type Phases = {
  /** Before an endpoint was asked: name look-up, delays, a connection that had to become free, earlier attempts. */
  readonly queueMs: number
  readonly connectMs: number
  readonly tlsMs: number
  /** From the request to the first of its reply. */
  readonly waitMs: number
  readonly streamMs: number
}

/** The time of the last attempt, within an exchange that began at `beganMs` and is over at `endMs`; they add up to it. */
export function phasesOf(timeline: Timeline, beganMs: number, endMs: number): Phases {
  const last = timeline.attempts.at(-1)
  if (last === undefined) return { queueMs: endMs - beganMs, connectMs: 0, tlsMs: 0, waitMs: 0, streamMs: 0 }
  const { startedMs, connectedMs, securedMs, sentMs, repliedMs } = last
  const askedMs = sentMs === 0 ? endMs : sentMs
  const answeredMs = repliedMs === 0 ? endMs : repliedMs
  const handshake = securedMs === 0 ? 0 : securedMs - connectedMs
  return {
    queueMs: startedMs - beganMs,
    connectMs: askedMs - startedMs - handshake,
    tlsMs: handshake,
    waitMs: sentMs === 0 ? 0 : answeredMs - sentMs,
    streamMs: endMs - answeredMs,
  }
}
