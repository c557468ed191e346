/** The golden signals of a sidecar, out of its /metrics. Pure. */

/** What a sidecar has counted on its inbound side so far. */
export type InboundCounts = {
  readonly responses: number
  readonly failures: number
  /** Cumulative counts by upper bound in ms, in order; the last is that of all. */
  readonly latency: readonly (readonly [boundMs: number, count: number])[]
}

export type Golden = {
  readonly requests: number
  /** In percent; undefined without requests. */
  readonly success: number | undefined
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
}

export type Peers = {
  /** Principals that proved themselves. */
  readonly clients: readonly string[]
  readonly requests: number
  /** How many requests came without mTLS. */
  readonly inClear: number
}

type Sample = { readonly labels: ReadonlyMap<string, string>; readonly value: number }

function inboundSamples(text: string, family: string): Sample[] {
  const samples: Sample[] = []
  for (const line of text.split('\n')) {
    const match = /^([a-z_]+)\{(.*)\} (\S+)$/.exec(line)
    if (match?.[1] !== family) continue
    const pairs = (match[2] ?? '').matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)
    const labels = new Map([...pairs].map(([, name, value]) => [name as string, value as string]))
    if (labels.get('direction') === 'inbound') samples.push({ labels, value: Number(match[3]) })
  }
  return samples
}

function total(samples: readonly Sample[]): number {
  return samples.reduce((sum, { value }) => sum + value, 0)
}

/** The sum of a family's samples, whatever their labels. */
export function sampleSum(text: string, family: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${family}{`))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

/** Reads the text of /metrics. */
export function inboundCounts(text: string): InboundCounts {
  const responses = inboundSamples(text, 'response_total')
  const byBound = new Map<number, number>()
  for (const { labels, value } of inboundSamples(text, 'response_latency_ms_bucket')) {
    const bound = labels.get('le') === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.get('le'))
    byBound.set(bound, (byBound.get(bound) ?? 0) + value)
  }
  return {
    responses: total(responses),
    failures: total(responses.filter(({ labels }) => labels.get('classification') === 'failure')),
    latency: [...byBound].toSorted(([a], [b]) => a - b),
  }
}

/** Who sent inbound requests, by the text of /metrics. */
export function inboundPeers(text: string): Peers {
  const requests = inboundSamples(text, 'request_total')
  const proven = requests.filter(({ labels }) => labels.get('tls') === 'true' && labels.has('client_id'))
  return {
    clients: [...new Set(proven.map(({ labels }) => labels.get('client_id') as string))].toSorted(),
    requests: total(requests),
    inClear: total(requests) - total(proven),
  }
}

/** What happened between two readings. A sidecar that was restarted meanwhile counts from zero again. */
export function goldenBetween(before: InboundCounts | undefined, after: InboundCounts): Golden {
  const restarted = before !== undefined && after.responses < before.responses
  const from = before === undefined || restarted ? { responses: 0, failures: 0, latency: [] } : before
  const requests = after.responses - from.responses
  const earlier = new Map(from.latency)
  const latency = after.latency.map(([bound, count]) => [bound, count - (earlier.get(bound) ?? 0)] as const)
  return {
    requests,
    success: requests === 0 ? undefined : 100 - (100 * (after.failures - from.failures)) / requests,
    p50Ms: quantile(latency, 0.5),
    p99Ms: quantile(latency, 0.99),
  }
}

/** By linear interpolation inside the bucket, as Prometheus's histogram_quantile does. */
function quantile(latency: readonly (readonly [number, number])[], share: number): number | undefined {
  const all = latency.at(-1)?.[1] ?? 0
  if (all === 0) return undefined
  const rank = share * all
  let below: readonly [number, number] = [0, 0]
  for (const bucket of latency) {
    const [bound, count] = bucket
    if (count >= rank && count > below[1]) {
      if (bound === Number.POSITIVE_INFINITY) return below[0]
      return below[0] + ((bound - below[0]) * (rank - below[1])) / (count - below[1])
    }
    below = bucket
  }
  return below[0]
}
