/** What the demo claims, each as a pure judgement over what was observed. */

/** undefined when the claim holds, or why it does not. */
export type Judge<T> = (observation: T) => string | undefined

export type SplitObservation = {
  readonly configured: number
  readonly observed: number
  readonly requests: number
}

/** Shares of v2 in percent. */
export function judgeSplit({ configured, observed, requests }: SplitObservation): string | undefined {
  if (requests < 5000) return `only ${requests} requests were counted, 5000 are needed`
  const off = Math.abs(configured - observed)
  return off <= 2 ? undefined : `${configured} % was configured and ${observed} % observed`
}

export type Convergence = { readonly p50: number; readonly p99: number; readonly writes: number }

export function judgeConvergence({ p99, writes }: Convergence): string | undefined {
  if (writes < 20) return `only ${writes} writes were measured`
  return p99 <= 250 ? undefined : `p99 of ${p99} ms from write to use is above 250 ms`
}

export type MtlsObservation = {
  readonly hops: readonly {
    readonly to: string
    readonly clients: readonly string[]
    readonly requests: number
    readonly inClear: number
  }[]
  readonly expected: readonly { readonly to: string; readonly client: string }[]
  readonly relayedBytes: number
  readonly clearTextSeen: boolean
}

export function judgeMtls({
  hops,
  expected,
  relayedBytes,
  clearTextSeen,
}: MtlsObservation): string | undefined {
  const inClear = hops.find((hop) => hop.inClear > 0)
  if (inClear !== undefined) return `${inClear.inClear} requests reached ${inClear.to} without mTLS`
  for (const { to, client } of expected) {
    const seen = hops.find((hop) => hop.to === to)?.clients.includes(client)
    if (seen !== true) return `${to} never saw ${client} as an authenticated client`
  }
  if (relayedBytes === 0) return 'nothing passed the recorded hop'
  return clearTextSeen ? 'a request path or body was seen in clear on the recorded hop' : undefined
}

export type Outage = { readonly requests: number; readonly failed: number }

export function judgeOutage({ requests, failed }: Outage): string | undefined {
  if (requests === 0) return 'no request was made meanwhile'
  return failed === 0 ? undefined : `${failed} of ${requests} requests failed`
}

/** `interrupted`: what the scene stops had really gone. */
export type Interruption = Outage & { readonly interrupted: boolean }

export function judgeInterruption({ interrupted, ...outage }: Interruption): string | undefined {
  return interrupted ? judgeOutage(outage) : 'nothing was interrupted: the process runs as before'
}

/** An endpoint that came back, and what it answered since. */
export type Return = { readonly served: number; readonly failed: number; readonly inUse: boolean }

export function judgeReturn({ served, failed, inUse }: Return): string | undefined {
  if (served === 0) return 'the endpoint that came back gets no request'
  if (!inUse) return 'the endpoint that came back serves, and is left out all the same'
  return failed === 0 ? undefined : `${failed} requests failed while it came back`
}

export type FailingObservation = {
  /** Share of v2 in percent, and of the failed requests while all of v2 failed. */
  readonly configured: number
  readonly failedShare: number
  /** Answers that did not come from v2 itself: failures that the mesh added. */
  readonly failedElsewhere: number
  readonly failedAfter: number
}

/** While a backend fails its own share fails, and nothing else does. */
export function judgeFailing(observation: FailingObservation): string | undefined {
  const { configured, failedShare, failedElsewhere, failedAfter } = observation
  if (Math.abs(configured - failedShare) > 3)
    return `${failedShare} % of the requests failed, v2 gets ${configured} %`
  if (failedElsewhere > 0) return `${failedElsewhere} requests failed elsewhere than in v2`
  return failedAfter === 0 ? undefined : `${failedAfter} requests failed when v2 was well again`
}

export type PolicyObservation = {
  /** What requests were answered that a policy denies. */
  readonly statuses: readonly number[]
  /** As the sidecars count them: denied ones, and those that a policy on trial meets. */
  readonly denied: number
  readonly audited: number
}

export function judgePolicy({ statuses, denied, audited }: PolicyObservation): string | undefined {
  const passed = statuses.find((status) => status !== 403)
  if (passed !== undefined) return `a request that a policy denies was answered ${passed}`
  if (denied < statuses.length) return `${denied} denied requests are counted, ${statuses.length} were`
  return audited > 0 ? undefined : 'the policy on trial met nothing'
}

export type TraceObservation = {
  readonly sent: string
  /** The trace id that each application was given, once for each that differs. */
  readonly seen: readonly { readonly app: string; readonly trace: string }[]
  readonly expected: readonly string[]
}

export function judgeTrace({ sent, seen, expected }: TraceObservation): string | undefined {
  const other = seen.find((entry) => entry.trace !== sent)
  if (other !== undefined) return `${other.app} saw trace '${other.trace}' instead of '${sent}'`
  const missing = expected.filter((app) => !seen.some((entry) => entry.app === app))
  return missing.length === 0 ? undefined : `the trace was never seen by ${missing.join(', ')}`
}

/** The value below which `share` of the sorted values lie, by nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}
