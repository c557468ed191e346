/** How Prometheus finds the processes of a mesh: in a cluster by its pods, and by the operator's PodMonitor. */
import { ports } from '../../api/ports.ts'

const sidecarPort = 'weft-admin'
const controlPlanePort = 'admin'
const meta = '__meta_kubernetes_pod'

/** Sidecars put namespace, pod and workload on their samples themselves: what they say is kept (`honor_labels`). */
export const prometheusConfig = {
  global: { scrape_interval: '15s', evaluation_interval: '15s' },
  rule_files: ['rules.yaml'],
  scrape_configs: [
    {
      job_name: 'weft-sidecars',
      honor_labels: true,
      kubernetes_sd_configs: [{ role: 'pod' }],
      relabel_configs: [
        { source_labels: [`${meta}_container_port_name`], regex: sidecarPort, action: 'keep' },
        { source_labels: [`${meta}_phase`], regex: 'Pending|Succeeded|Failed', action: 'drop' },
        { source_labels: [`${meta}_name`], target_label: 'pod' },
        { source_labels: ['__meta_kubernetes_namespace'], target_label: 'namespace' },
      ],
    },
    {
      job_name: 'weft-control-plane',
      kubernetes_sd_configs: [{ role: 'pod', namespaces: { names: ['weft'] } }],
      relabel_configs: [
        {
          source_labels: [`${meta}_label_app_kubernetes_io_part_of`],
          regex: 'weft',
          action: 'keep',
        },
        {
          source_labels: [`${meta}_container_port_number`],
          regex: String(ports.controlPlaneAdmin),
          action: 'keep',
        },
        { source_labels: [`${meta}_name`], target_label: 'pod' },
        { source_labels: ['__meta_kubernetes_namespace'], target_label: 'namespace' },
      ],
    },
  ],
}

/** Processes whose addresses are known, as those of the demo: no cluster is asked. */
export function staticConfig(
  targets: { readonly sidecars: readonly string[]; readonly controlPlanes: readonly string[] },
  rulesFile: string,
  interval: string,
) {
  return {
    global: { scrape_interval: interval, evaluation_interval: interval },
    rule_files: [rulesFile],
    scrape_configs: [
      { job_name: 'weft-sidecars', honor_labels: true, static_configs: [{ targets: targets.sidecars }] },
      { job_name: 'weft-control-plane', static_configs: [{ targets: targets.controlPlanes }] },
    ],
  }
}

function podMonitor(name: string, spec: object): object {
  const metadata = { name, namespace: 'weft' }
  return { apiVersion: 'monitoring.coreos.com/v1', kind: 'PodMonitor', metadata, spec }
}

/** For the Prometheus operator: the same two jobs. */
export const podMonitors: readonly object[] = [
  podMonitor('weft-sidecars', {
    namespaceSelector: { any: true },
    selector: {},
    podMetricsEndpoints: [{ port: sidecarPort, path: '/metrics', honorLabels: true }],
  }),
  podMonitor('weft-control-plane', {
    selector: { matchLabels: { 'app.kubernetes.io/part-of': 'weft' } },
    podMetricsEndpoints: [{ port: controlPlanePort, path: '/metrics' }],
  }),
]
