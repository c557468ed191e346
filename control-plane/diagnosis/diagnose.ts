/** Why does A not reach B: walks name, route, policy, backend, endpoint and identity, as the mesh model has them. Pure. */
import type { DiagnosedRequest, Diagnosis, DiagnosisStep } from '../../api/diagnosis.ts'
import { destinationName } from '../../api/xds/destination-name.ts'
import { serviceResourceName } from '../../api/xds/naming.ts'
import type { ResourceKind } from '../../api/xds/type-urls.ts'
import type { ServiceEndpoint } from '../model/endpoints.ts'
import { keyOf } from '../model/mesh-model.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { findAccess } from './find-access.ts'
import { describeEndpoint, findEndpoints, type Mesh } from './find-endpoints.ts'
import { findName, type NamedDestination } from './find-name.ts'
import { findPeers, findSource } from './find-peers.ts'
import { findRule } from './find-rule.ts'

export type DiagnosisQuestion = {
  readonly namespace: string
  readonly pod: string
  /** `host[:port]`, as the application would say it. */
  readonly authority: string
  readonly request: DiagnosedRequest
}

type Found = Pick<Diagnosis, 'steps' | 'backends'>

function walkService(mesh: Mesh, named: NamedDestination, question: DiagnosisQuestion): Found {
  const source = mesh.model.workload(keyOf(question.namespace, question.pod))
  switch (named.kind) {
    case 'none':
      return { steps: [], backends: [] }
    case 'pod': {
      const { workload, address, port } = named.pod
      const meshed = mesh.model.takesMeshTls(workload, port)
      const own: ServiceEndpoint = {
        address,
        port,
        workload,
        meshed,
        otherAddresses: [],
        zone: '',
        forZones: [],
      }
      const endpoints = [describeEndpoint(mesh, own)]
      return {
        steps: [...findAccess(mesh, source, endpoints, question.request), ...findPeers(endpoints)],
        backends: [{ cluster: `${address}:${port}`, sharePercent: 100, endpoints, host: null }],
      }
    }
    case 'service': {
      const { rule, steps } = findRule(mesh.model, named.destination, question.namespace, question.request)
      if (rule === undefined) return { steps, backends: [] }
      const found = findEndpoints(mesh, rule)
      const all = found.backends.flatMap(({ endpoints }) => endpoints)
      const access = findAccess(mesh, source, all, question.request)
      return { steps: [...steps, ...found.steps, ...access, ...findPeers(all)], backends: found.backends }
    }
  }
}

/** What a sidecar of this namespace should hold for the way there. */
function resourcesOf(
  snapshot: Pick<Snapshot, 'get'>,
  namespace: string,
  to: string,
  named: NamedDestination,
  backends: Diagnosis['backends'],
): Diagnosis['resources'] {
  const routes =
    named.kind === 'service'
      ? [
          serviceResourceName(
            named.destination.service.name,
            named.destination.service.namespace,
            named.destination.port.port,
          ),
        ]
      : []
  const wanted: readonly (readonly [ResourceKind, string])[] = [
    ['listener', to],
    ...routes.map((name) => ['routeConfiguration', name] as const),
    ...backends.map(({ cluster }) => ['cluster', cluster] as const),
    ...backends
      .filter(({ host }) => host === null)
      .map(({ cluster }) => ['clusterLoadAssignment', cluster] as const),
  ]
  return wanted.flatMap(([kind, name]) => {
    const version = snapshot.get(kind, name, 'sidecar', namespace)?.version
    return version === undefined ? [] : [{ kind, name, version }]
  })
}

export function diagnose(
  mesh: Mesh & { readonly snapshot: Pick<Snapshot, 'get'> },
  question: DiagnosisQuestion,
): Diagnosis {
  const { namespace, pod, authority } = question
  const to = destinationName(authority, namespace)
  const { named, step } = findName(mesh.model, to)
  const { steps, backends } = walkService(mesh, named, question)
  const all: readonly DiagnosisStep[] = [...findSource(mesh, namespace, pod), step, ...steps]
  return {
    from: keyOf(namespace, pod),
    to,
    steps: all,
    backends,
    sidecar: mesh.sidecarOf(namespace, pod) ?? null,
    resources: resourcesOf(mesh.snapshot, namespace, to, named, backends),
  }
}
