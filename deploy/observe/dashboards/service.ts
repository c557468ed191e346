import { latency, requestRate, successRate } from '../expressions.ts'
import type { DashboardSpec } from '../panel.ts'

const toService = 'direction="outbound",dst_namespace=~"$namespace",dst_service=~"$service"'

/** Of each family, as Linkerd has them apart. */
function ledHere(protocol: 'http' | 'grpc'): string {
  const attempts = `outbound_${protocol}_route_backend_requests_total{backend_namespace=~"$namespace",backend_name=~"$service"}`
  return `sum by (parent_name, route_kind, route_name, backend_name) (rate(${attempts}[$__rate_interval]))`
}

/** As its clients see it: what went to the Service, whichever backends a split chose. */
export const service: DashboardSpec = {
  uid: 'weft-service',
  title: 'weft / service',
  variables: [
    {
      name: 'namespace',
      label: 'Namespace',
      query: 'label_values(request_total, dst_namespace)',
      several: true,
    },
    {
      name: 'service',
      label: 'Service',
      query: 'label_values(request_total{dst_namespace=~"$namespace"}, dst_service)',
      several: true,
    },
  ],
  panels: [
    {
      title: 'Requests by client',
      ofWorkloads: true,
      unit: 'reqps',
      description: 'By the workload that sent them',
      queries: [{ expr: requestRate(toService, 'namespace, deployment'), legend: '{{deployment}}' }],
    },
    {
      title: 'Success by client',
      ofWorkloads: true,
      unit: 'percentunit',
      description: 'What clients got, retries included',
      queries: [{ expr: successRate(toService, 'namespace, deployment'), legend: '{{deployment}}' }],
    },
    {
      title: 'Latency',
      unit: 'ms',
      description: "From a request's head to its reply's head, at the client's sidecar",
      queries: [0.5, 0.95, 0.99].map((quantile) => ({
        expr: latency(quantile, toService, 'dst_service'),
        legend: `{{dst_service}} p${quantile * 100}`,
      })),
    },
    {
      title: 'Requests by endpoint',
      unit: 'reqps',
      description: 'Where the balancer sent them',
      queries: [{ expr: requestRate(toService, 'dst_service, dst_pod'), legend: '{{dst_pod}}' }],
    },
    {
      title: 'Led here by',
      unit: 'reqps',
      description: 'The Service that was asked for, and the route or split that chose this one',
      queries: [
        {
          expr: `${ledHere('http')} or ${ledHere('grpc')}`,
          legend: '{{parent_name}} by {{route_kind}} {{route_name}} to {{backend_name}}',
        },
      ],
    },
    {
      title: 'Endpoints',
      unit: 'short',
      description: 'By whether they are sent to',
      queries: [
        {
          expr: 'max by (cluster, endpoint_state) (outbound_http_balancer_endpoints{cluster=~"($service)\\\\..*"})',
          legend: '{{cluster}} {{endpoint_state}}',
        },
      ],
    },
    {
      title: 'Retries and ejections',
      unit: 'reqps',
      description: 'Attempts beyond the first, and endpoints put out of use for failing or being away',
      queries: [
        {
          expr: `sum by (dst_service) (rate(request_retries_total{${toService}}[$__rate_interval]))`,
          legend: 'retries to {{dst_service}}',
        },
        {
          expr: 'sum by (cluster) (rate(outlier_unreachable_total{cluster=~"($service)\\\\..*"}[$__rate_interval]))',
          legend: 'unreachable in {{cluster}}',
        },
      ],
    },
    {
      title: 'Connections',
      unit: 'short',
      description: 'Open to the endpoints, and those of them that wait for a request',
      queries: [
        {
          expr: 'sum by (cluster) (pool_connections{cluster=~"($service)\\\\..*"})',
          legend: '{{cluster}} open',
        },
        {
          expr: 'sum by (cluster) (pool_idle_connections{cluster=~"($service)\\\\..*"})',
          legend: '{{cluster}} idle',
        },
      ],
    },
  ],
}
