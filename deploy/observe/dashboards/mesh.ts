import { latency, requestRate, successRate } from '../expressions.ts'
import type { DashboardSpec } from '../panel.ts'

const inbound = 'direction="inbound",namespace=~"$namespace"'

export const mesh: DashboardSpec = {
  uid: 'weft-mesh',
  title: 'weft / mesh',
  variables: [
    { name: 'namespace', label: 'Namespace', query: 'label_values(request_total, namespace)', several: true },
  ],
  panels: [
    {
      kind: 'stat',
      title: 'Requests',
      unit: 'reqps',
      description: 'Answered by all applications together',
      queries: [{ expr: `sum(rate(response_total{${inbound}}[$__rate_interval]))`, legend: 'requests' }],
    },
    {
      kind: 'stat',
      title: 'Success',
      unit: 'percentunit',
      description: 'Replies below 500',
      queries: [{ expr: successRate(inbound, 'namespace'), legend: '{{namespace}}' }],
    },
    {
      kind: 'stat',
      title: 'Under mTLS',
      unit: 'percentunit',
      description: 'Requests whose client proved who it is',
      queries: [
        {
          expr: `sum(rate(request_total{${inbound},tls="true"}[$__rate_interval])) / sum(rate(request_total{${inbound}}[$__rate_interval]))`,
          legend: 'mTLS',
        },
      ],
    },
    {
      kind: 'stat',
      title: 'Sidecars',
      unit: 'short',
      description: 'That are scraped and connected to the control plane',
      queries: [{ expr: 'sum(control_connected{namespace=~"$namespace"})', legend: 'connected' }],
    },
    {
      title: 'Requests by workload',
      ofWorkloads: true,
      unit: 'reqps',
      description: 'Answered by each workload',
      queries: [{ expr: requestRate(inbound, 'namespace, deployment'), legend: '{{deployment}}' }],
    },
    {
      title: 'Success by workload',
      ofWorkloads: true,
      unit: 'percentunit',
      description: 'Replies below 500',
      queries: [{ expr: successRate(inbound, 'namespace, deployment'), legend: '{{deployment}}' }],
    },
    {
      title: '99th percentile by workload',
      ofWorkloads: true,
      unit: 'ms',
      description: "From a request's head to its reply's head, at the server",
      queries: [{ expr: latency(0.99, inbound, 'namespace, deployment'), legend: '{{deployment}}' }],
    },
    {
      title: 'Memory of sidecars',
      unit: 'bytes',
      description: 'Resident',
      queries: [
        {
          expr: 'process_resident_memory_bytes{namespace=~"$namespace"} and on (instance) weft_build_info{component="proxy"}',
          legend: '{{pod}}',
        },
      ],
    },
    {
      title: 'Who talks to whom',
      unit: 'reqps',
      description: 'Requests by the proven identity of the client',
      queries: [
        {
          expr: requestRate(`${inbound},client_id!=""`, 'client_id, deployment'),
          legend: '{{client_id}} → {{deployment}}',
        },
      ],
    },
    {
      title: 'Certificates end in',
      unit: 's',
      description: 'Renewed at half of their life',
      queries: [
        {
          expr: 'identity_cert_expiration_timestamp_seconds{namespace=~"$namespace"} - time()',
          legend: '{{pod}}',
        },
      ],
    },
  ],
}
