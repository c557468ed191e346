/** Live figures and services for tests. */
import type { LiveEdge, LiveMesh, LiveSidecar } from '../../../../api/live.ts'
import type { ServiceReport } from '../../../model/service-report.ts'

type Ends = readonly [source: string, apex: string, backend?: string]

/** All in namespace `shop`; the backend is the apex unless another is named. */
export function edge([source, apex, backend = apex]: Ends, figures: Partial<LiveEdge> = {}): LiveEdge {
  return {
    source: { namespace: 'shop', name: source, kind: 'Deployment' },
    apex: { namespace: 'shop', name: apex, port: 8080 },
    backend: { namespace: 'shop', name: backend, port: 8080 },
    requestsPerSecond: 10,
    successRatio: 1,
    p50Ms: 1,
    p95Ms: 2,
    p99Ms: 3,
    mtlsRatio: 1,
    openConnections: 1,
    ...figures,
  }
}

/** The sidecar of `<workload>-1`. */
export function sidecar(workload: string): LiveSidecar {
  return {
    workload: { namespace: 'shop', name: workload, kind: 'Deployment' },
    pod: `${workload}-1`,
    identity: `spiffe://cluster.local/ns/shop/sa/${workload}`,
    version: '0.1.0',
    connectedAtMs: 0,
    certificateNotAfterMs: null,
  }
}

export function mesh(
  edges: readonly LiveEdge[],
  sidecars: readonly LiveSidecar[] = [],
  atMs = 1_000,
): LiveMesh {
  return { atMs, windowMs: 10_000, sidecars, edges, inbound: [] }
}

export function service(
  name: string,
  pods: readonly string[] = [],
  rules: ServiceReport['ports'][number]['rules'] = [],
): ServiceReport {
  const ports = [{ name: 'http', port: 8080, readyEndpoints: pods.length, missing: undefined, rules }]
  return { namespace: 'shop', name, externalName: undefined, ports, pods }
}
