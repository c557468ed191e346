import type { DashboardSpec } from '../panel.ts'

export const controlPlane: DashboardSpec = {
  uid: 'weft-control-plane',
  title: 'weft / control plane',
  variables: [],
  panels: [
    {
      kind: 'stat',
      title: 'Clients',
      unit: 'short',
      description: 'Sidecars, gateways and gRPC clients that are connected',
      queries: [{ expr: 'sum(weft_xds_streams)', legend: 'clients' }],
    },
    {
      kind: 'stat',
      title: 'Refused objects',
      unit: 'short',
      description: 'Whose last good content is in force instead',
      queries: [{ expr: 'max(weft_config_refused)', legend: 'refused' }],
    },
    {
      kind: 'stat',
      title: 'Refused updates',
      unit: 'short',
      description: 'NACKs in the last hour',
      queries: [{ expr: 'sum(increase(weft_xds_nacks_total[1h]))', legend: 'NACKs' }],
    },
    {
      kind: 'stat',
      title: 'Roots in use',
      unit: 'short',
      description: 'Versions of the trust bundle; more than one only while a root is replaced',
      queries: [{ expr: 'count(count by (version) (identity_trust_bundle_info))', legend: 'versions' }],
    },
    {
      title: 'Convergence',
      unit: 's',
      description: 'From a change being known to a client having accepted it',
      queries: [0.5, 0.99].map((quantile) => ({
        expr: `histogram_quantile(${quantile}, sum by (le) (rate(weft_xds_convergence_seconds_bucket[$__rate_interval])))`,
        legend: `p${quantile * 100}`,
      })),
    },
    {
      title: 'Pushes and answers',
      unit: 'reqps',
      description: 'Responses sent, accepted and refused',
      queries: [
        { expr: 'sum(rate(weft_xds_pushes_total[$__rate_interval]))', legend: 'sent' },
        { expr: 'sum(rate(weft_xds_acks_total[$__rate_interval]))', legend: 'accepted' },
        { expr: 'sum(rate(weft_xds_nacks_total[$__rate_interval]))', legend: 'refused' },
      ],
    },
    {
      title: 'Watches',
      unit: 's',
      description: 'Since the API server last told something of a kind (in a cluster)',
      queries: [{ expr: 'max by (kind) (weft_watch_silence_seconds) or vector(0)', legend: '{{kind}}' }],
    },
    {
      title: 'Admissions',
      unit: 'reqps',
      description: 'Pods decided on by the injector (in a cluster)',
      queries: [
        {
          expr: 'sum by (outcome) (rate(injector_decisions_total[$__rate_interval])) or vector(0)',
          legend: '{{outcome}}',
        },
      ],
    },
    {
      title: 'Memory',
      unit: 'bytes',
      description: 'Resident, of each replica',
      queries: [
        {
          expr: 'process_resident_memory_bytes and on (instance) weft_build_info{component=~"control-plane|injector"}',
          legend: '{{instance}}',
        },
      ],
    },
    {
      title: 'Event loop',
      unit: 'percentunit',
      description: 'Share of time that it is busy, since the start',
      queries: [
        {
          expr: 'nodejs_eventloop_utilization and on (instance) weft_build_info{component=~"control-plane|injector"}',
          legend: '{{instance}}',
        },
      ],
    },
  ],
}
