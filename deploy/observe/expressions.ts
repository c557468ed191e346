/** PromQL that more than one dashboard and rule uses; `selector` is what stands between the braces. */

export function requestRate(selector: string, by: string): string {
  return `sum by (${by}) (rate(response_total{${selector}}[$__rate_interval]))`
}

/** Between 0 and 1. */
export function successRate(selector: string, by: string): string {
  const rate = (more: string) => `sum by (${by}) (rate(response_total{${selector}${more}}[$__rate_interval]))`
  return `${rate(',classification="success"')} / ${rate('')}`
}

/** In milliseconds. */
export function latency(quantile: number, selector: string, by: string): string {
  const buckets = `sum by (le, ${by}) (rate(response_latency_ms_bucket{${selector}}[$__rate_interval]))`
  return `histogram_quantile(${quantile}, ${buckets})`
}
