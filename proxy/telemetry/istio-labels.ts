/** Istio's labels (features.md 1.2) of one of our label sets. Pure. */
import { type OwnWorkload, workloadOf } from './own-workload.ts'
import type { Labels } from './series-table.ts'

export function istioLabels(labels: Labels, own: OwnWorkload, protocol: 'http' | 'tcp'): Labels {
  const common = {
    request_protocol: protocol,
    connection_security_policy: labels['tls'] === 'true' ? 'mutual_tls' : 'none',
  }
  return labels['direction'] === 'inbound'
    ? { ...asDestination(labels, own), ...common }
    : { ...asSource(labels, own), ...common }
}

function asDestination(labels: Labels, own: OwnWorkload): Labels {
  const source = workloadOf(labels['client_id'])
  return {
    reporter: 'destination',
    source_workload: source.name,
    source_workload_namespace: source.namespace,
    source_principal: labels['client_id'] ?? 'unknown',
    destination_workload: own.name,
    destination_workload_namespace: own.namespace,
  }
}

function asSource(labels: Labels, own: OwnWorkload): Labels {
  const destination = workloadOf(labels['server_id'])
  return {
    reporter: 'source',
    source_workload: own.name,
    source_workload_namespace: own.namespace,
    destination_workload: labels['dst_deployment'] ?? destination.name,
    destination_workload_namespace: destination.namespace,
    destination_principal: labels['server_id'] ?? 'unknown',
    destination_service: (labels['authority'] ?? '').replace(/:\d+$/, ''),
    destination_service_name: labels['dst_service'] ?? 'unknown',
    destination_service_namespace: labels['dst_namespace'] ?? 'unknown',
  }
}
