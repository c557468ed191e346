import { latency, requestRate, successRate } from '../expressions.ts'
import type { DashboardSpec } from '../panel.ts'

const primary = 'direction="inbound",namespace=~"$namespace",deployment=~"$workload"'
const canary = 'direction="inbound",namespace=~"$namespace",deployment=~"$canary"'

/** One workload beside the one that is to take its place. */
function compared(expression: (selector: string, by: string) => string) {
  return [
    { expr: expression(primary, 'deployment'), legend: '{{deployment}}' },
    { expr: expression(canary, 'deployment'), legend: '{{deployment}} (canary)' },
  ]
}

const workloads = 'label_values(request_total{direction="inbound",namespace=~"$namespace"}, deployment)'

export const workload: DashboardSpec = {
  uid: 'weft-workload',
  title: 'weft / workload and canary',
  variables: [
    { name: 'namespace', label: 'Namespace', query: 'label_values(request_total, namespace)', several: true },
    { name: 'workload', label: 'Workload', query: workloads },
    { name: 'canary', label: 'Canary', query: workloads },
  ],
  panels: [
    { title: 'Requests', unit: 'reqps', description: 'Answered by each', queries: compared(requestRate) },
    {
      title: 'Success',
      unit: 'percentunit',
      description: 'Replies below 500',
      queries: compared(successRate),
    },
    {
      title: 'Median',
      unit: 'ms',
      description: "From a request's head to its reply's head, at the server",
      queries: compared((selector, by) => latency(0.5, selector, by)),
    },
    {
      title: '99th percentile',
      unit: 'ms',
      description: "From a request's head to its reply's head, at the server",
      queries: compared((selector, by) => latency(0.99, selector, by)),
    },
    {
      title: 'Replies by status',
      unit: 'reqps',
      description: 'Of both',
      queries: [
        { expr: requestRate(primary, 'deployment, status_code'), legend: '{{deployment}} {{status_code}}' },
        {
          expr: requestRate(canary, 'deployment, status_code'),
          legend: '{{deployment}} {{status_code}} (canary)',
        },
      ],
    },
    {
      title: 'Clients',
      unit: 'reqps',
      description: 'By proven identity',
      queries: [{ expr: requestRate(`${primary},client_id!=""`, 'client_id'), legend: '{{client_id}}' }],
    },
    {
      title: 'Sidecar CPU',
      unit: 'cores',
      description: 'Seconds of CPU a second',
      queries: [
        {
          expr: 'rate(process_cpu_seconds_total{namespace=~"$namespace",deployment=~"$workload|$canary"}[$__rate_interval])',
          legend: '{{pod}}',
        },
      ],
    },
    {
      title: 'Open connections',
      unit: 'short',
      description: 'From clients to the sidecar, and from the application',
      queries: [
        {
          expr: 'sum by (pod, direction) (tcp_open_connections{namespace=~"$namespace",deployment=~"$workload|$canary",peer="src"})',
          legend: '{{pod}} {{direction}}',
        },
      ],
    },
  ],
}
