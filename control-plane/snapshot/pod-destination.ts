/** A port of a workload, called by the workload's own address: what a headless Service's name resolves to, and what peers tell each other. */
import { pack } from '../../api/xds/codec.ts'
import { weftMetadata } from '../../api/xds/naming.ts'
import { toStruct } from '../../api/xds/struct.ts'
import type { Cluster, Listener, RouteConfiguration } from '../../api/xds/types.ts'
import { includesPort } from '../../core/port-ranges.ts'
import type { ServiceEndpoint } from '../model/endpoints.ts'
import type { MeshModel } from '../model/mesh-model.ts'
import { noTrafficSettings } from '../model/traffic-settings.ts'
import type { Workload } from '../model/objects.ts'
import { clusterPolicy } from './cluster-policy.ts'
import { connectTimeout, lbEndpoint, meshMatches } from './clusters.ts'
import { splitAddress } from './destination.ts'
import { managerName, router, tcpListening } from './listeners.ts'

export type PodDestination = { readonly workload: Workload; readonly address: string; readonly port: number }

/** The workload whose address `name` has, or undefined; an address of a Service means that Service. */
export function podDestinationOf(model: MeshModel, name: string): PodDestination | undefined {
  const addressed = splitAddress(name)
  if (addressed === undefined || model.serviceByAddress(addressed.address) !== undefined) return undefined
  const workload = model.workloadByAddress(addressed.address)
  return workload === undefined ? undefined : { workload, ...addressed }
}

function routesTo(cluster: string): RouteConfiguration {
  const route = { name: 'pod', match: { prefix: '/' }, route: { cluster, timeout: { seconds: 0 } } }
  return { name: cluster, virtualHosts: [{ name: cluster, domains: ['*'], routes: [route] }] }
}

/** No Service is asked for, so nothing that one says counts: no routes, no split, no policy. */
export function buildPodListener(
  model: MeshModel,
  name: string,
  { workload, port }: PodDestination,
): Listener {
  const manager = { statPrefix: name, routeConfig: routesTo(name), httpFilters: [router()] }
  const opaque = includesPort(model.opaquePorts(workload), port)
  return {
    name,
    apiListener: { apiListener: pack(managerName, manager) },
    ...tcpListening(name, [{ name, weight: 1 }], opaque),
  }
}

/** At a pod's own address nothing stands before the sidecar: where its ports are named, no other is one of them. */
function speaksMeshTls(model: MeshModel, workload: Workload, port: number): boolean {
  const { inbound } = workload
  if (inbound.length > 0) return inbound.some((mapping) => mapping.port === port)
  return model.takesMeshTls(workload, port)
}

export function buildPodCluster(
  model: MeshModel,
  name: string,
  { workload, address, port }: PodDestination,
  trustDomain: string,
): Cluster {
  const meshed = speaksMeshTls(model, workload, port)
  const endpoint: ServiceEndpoint = {
    address,
    otherAddresses: [],
    port,
    zone: '',
    forZones: [],
    workload,
    meshed,
  }
  const endpoints = [{ lbEndpoints: [lbEndpoint(endpoint, 'sidecar', trustDomain)] }]
  return {
    name,
    type: 'STATIC',
    connectTimeout,
    ...clusterPolicy(noTrafficSettings, 'sidecar'),
    loadAssignment: { clusterName: name, endpoints },
    metadata: { filterMetadata: { [weftMetadata]: toStruct({ namespace: workload.namespace, port }) } },
    transportSocketMatches: meshMatches([endpoint], trustDomain),
  }
}
