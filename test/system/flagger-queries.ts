/** Flagger's built-in queries as it asks them (pkg/metrics/observers), for one target. */
export function flaggerQueries(
  namespace: string,
  target: string,
  interval: string,
): ReadonlyMap<string, string> {
  const success = (family: string, selector: string, good: string): string =>
    `sum(rate(${family}{${selector},${good}}[${interval}])) / sum(rate(${family}{${selector}}[${interval}])) * 100`
  const duration = (family: string, selector: string): string =>
    `histogram_quantile(0.99, sum(rate(${family}_bucket{${selector}}[${interval}])) by (le))`
  const linkerd = `namespace="${namespace}",deployment=~"${target}",direction="inbound"`
  const osm = `destination_namespace="${namespace}",destination_kind="Deployment",destination_name="${target}"`
  const istio = `reporter="destination",destination_workload_namespace="${namespace}",destination_workload=~"${target}"`
  return new Map([
    ['linkerd success', success('response_total', linkerd, 'classification!="failure"')],
    ['linkerd duration', duration('response_latency_ms', linkerd)],
    ['osm success', success('osm_request_total', osm, 'response_code!~"5.*"')],
    ['osm duration', duration('osm_request_duration_ms', osm)],
    ['istio success', success('istio_requests_total', istio, 'response_code!~"5.*"')],
    ['istio duration', duration('istio_request_duration_milliseconds', istio)],
  ])
}
