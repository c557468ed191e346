/** What the demo claims, each as a pure judgement over what was observed: undefined when it holds, or why it does not. */

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

export function judgeOutage(name: string, { requests, failed }: Outage): string | undefined {
  if (requests === 0) return `${name}: no request was made meanwhile`
  return failed === 0 ? undefined : `${name}: ${failed} of ${requests} requests failed`
}

/** `seen` are the trace ids that the applications were given, in the order of the call. */
export function judgeTrace(
  sent: string,
  seen: readonly { readonly app: string; readonly trace: string }[],
): string | undefined {
  if (seen.length < 3) return `only ${seen.length} applications answered, 3 are in the chain`
  const other = seen.find((entry) => entry.trace !== sent)
  return other === undefined ? undefined : `${other.app} saw trace '${other.trace}' instead of '${sent}'`
}

/** The value below which `share` of the sorted values lie, by nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}
