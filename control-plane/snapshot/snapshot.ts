/** The model as xDS resources: made when first asked for, encoded once, shared by all streams, dropped when outdated. */
import { createHash } from 'node:crypto'
import { versionOfPem } from '../../api/trust-bundle.ts'
import { encode, type MessageName, type Messages } from '../../api/xds/codec.ts'
import {
  invalidBackendCluster,
  parseGatewayListenerName,
  parseInboundClusterName,
  parseInboundListenerName,
  rootCaSecret,
  serviceResourceName,
} from '../../api/xds/naming.ts'
import { type ResourceKind, resourceNames } from '../../api/xds/type-urls.ts'
import { parseAddress } from '../../core/address.ts'
import type { Dirty } from '../model/dirty.ts'
import { keyOf, type MeshModel } from '../model/mesh-model.ts'
import { isOpaque, tcpBackends } from '../model/tcp-routing.ts'
import { trafficOf } from '../model/traffic.ts'
import type { ClientKind } from './client-kind.ts'
import { buildCluster, buildEndpoints, buildInboundCluster } from './clusters.ts'
import { dependencyOf, destinationOf } from './destination.ts'
import { type GatewayPort, gatewayNames } from './gateway.ts'
import { buildDestinationListener, buildGatewayListener, buildInboundListener } from './listeners.ts'
import { buildPodCluster, buildPodListener, podDestinationOf } from './pod-destination.ts'
import { inboundFacts } from './inbound-facts.ts'
import { buildRoutes } from './routes.ts'

/** `bytes` is the encoded message itself; `version` is made from its content, so that it survives a restart. */
export type SnapshotResource = { readonly name: string; readonly version: string; readonly bytes: Buffer }

export type ResourceOwner = {
  readonly namespace: string
  readonly serviceAccount: string
  readonly pod: string
}

export class Snapshot {
  readonly #model: MeshModel
  readonly #trustDomain: string
  readonly #trustBundlePem: () => string
  #trustBundle: string | undefined
  /** By dependency, then by kind, client and name. */
  readonly #cache = new Map<string, Map<string, SnapshotResource>>()

  constructor(
    model: MeshModel,
    options: { readonly trustDomain: string; readonly trustBundlePem: () => string },
  ) {
    this.#model = model
    this.#trustDomain = options.trustDomain
    this.#trustBundlePem = options.trustBundlePem
  }

  /** The resource as this kind of client in a namespace gets it; undefined when the mesh has none of that name. */
  get(kind: ResourceKind, name: string, client: ClientKind, namespace: string): SnapshotResource | undefined {
    const dependency = dependencyOf(name)
    const audience = kind === 'routeConfiguration' ? this.#audienceOf(name, namespace) : ''
    const key = `${kind} ${client} ${audience} ${name}`
    const cached = this.#cache.get(dependency)?.get(key)
    if (cached !== undefined) return cached
    const made = this.#build(kind, name, client, audience)
    // Names that do not exist are not kept: clients choose them.
    if (made === undefined) return undefined
    const entries = this.#cache.get(dependency)
    if (entries === undefined) this.#cache.set(dependency, new Map([[key, made]]))
    else entries.set(key, made)
    return made
  }

  /** What a gateway in a namespace gets when it asks for everything of a kind; empty for kinds that are asked for by name. */
  everythingFor(gateway: readonly GatewayPort[], kind: ResourceKind, namespace: string): ReadonlySet<string> {
    return gatewayNames(this.#model, gateway, kind, namespace)
  }

  /** Drops what the change touched, and tells the dependencies that were. */
  invalidate(dirty: Dirty): ReadonlySet<string> {
    const dependencies = new Set<string>()
    for (const key of dirty.services) {
      dependencies.add(`service:${key}`)
      // A Listener by address says where connections go, too; endpoints say nothing of that.
      if (dirty.routing)
        for (const address of this.#model.service(key)?.clusterIps ?? [])
          dependencies.add(`address:${address}`)
    }
    for (const key of dirty.workloads) dependencies.add(`workload:${key}`)
    for (const address of dirty.addresses) dependencies.add(`address:${address}`)
    for (const dependency of dependencies) this.#cache.delete(dependency)
    return dependencies
  }

  /** The version of the trust bundle that is sent now. */
  get trustBundle(): string {
    return (this.#trustBundle ??= versionOfPem(this.#trustBundlePem()))
  }

  /** The trust bundle is another: what is sent of it is made anew. Tells the dependencies. */
  invalidateTrust(): ReadonlySet<string> {
    const dependency = dependencyOf(rootCaSecret)
    this.#cache.delete(dependency)
    this.#trustBundle = undefined
    return new Set([dependency])
  }

  /** The pod, and its service account, whose sidecar alone may have this resource; undefined: everybody. */
  ownerOf(kind: ResourceKind, name: string): ResourceOwner | undefined {
    const inbound = kind === 'listener' ? parseInboundListenerName(name) : undefined
    if (inbound === undefined) return undefined
    const workload = this.#model.workload(keyOf(inbound.namespace, inbound.pod))
    return { ...inbound, serviceAccount: workload?.serviceAccount ?? '' }
  }

  /** A namespace, where its clients have routes of their own; the others share theirs. */
  #audienceOf(name: string, namespace: string): string {
    const destination = destinationOf(this.#model, name)
    return destination !== undefined && this.#model.routeConsumers(destination.key).has(namespace)
      ? namespace
      : ''
  }

  #build(
    kind: ResourceKind,
    name: string,
    client: ClientKind,
    audience: string,
  ): SnapshotResource | undefined {
    switch (kind) {
      case 'listener':
        return this.#buildListener(name, client)
      case 'routeConfiguration': {
        const destination = destinationOf(this.#model, name)
        if (destination === undefined) return undefined
        return resource(
          resourceNames.routeConfiguration,
          name,
          buildRoutes(this.#model, name, destination, client, audience),
        )
      }
      case 'cluster':
        return this.#buildCluster(name, client)
      case 'clusterLoadAssignment': {
        const destination = destinationOf(this.#model, name)
        if (destination === undefined && client !== 'grpc') return undefined
        return resource(
          resourceNames.clusterLoadAssignment,
          name,
          buildEndpoints(this.#model, name, destination, client, this.#trustDomain),
        )
      }
      case 'secret': {
        if (name !== rootCaSecret) return undefined
        const trustedCa = { inlineBytes: Buffer.from(this.#trustBundlePem()) }
        return resource(resourceNames.secret, name, { name, validationContext: { trustedCa } })
      }
    }
  }

  #buildListener(name: string, client: ClientKind): SnapshotResource | undefined {
    const inbound = parseInboundListenerName(name)
    if (inbound !== undefined) {
      const workload = this.#model.workload(keyOf(inbound.namespace, inbound.pod))
      // A gRPC client crashes on inbound routes; it has no business with them either.
      if (workload === undefined || client === 'grpc') return undefined
      const facts = inboundFacts(this.#model, workload, this.#trustDomain)
      return resource(resourceNames.listener, name, buildInboundListener(name, facts))
    }
    const gateway = parseGatewayListenerName(name)
    const address = gateway === undefined ? undefined : parseAddress(gateway.address)
    // Nobody but a gateway listens where it is told to.
    if (gateway !== undefined && (client !== 'envoy' || address === undefined)) return undefined
    const destination = destinationOf(this.#model, gateway?.destination ?? name)
    if (destination === undefined) return this.#buildPodListener(name, client)
    const { service, port } = destination
    const routeName = serviceResourceName(service.name, service.namespace, port.port)
    const traffic = trafficOf(this.#model, service, port)
    // gRPC clients know requests only, and refuse what they do not know.
    const tcp =
      client === 'sidecar'
        ? {
            backends: tcpBackends(this.#model, service, port.port),
            opaque: isOpaque(this.#model, service, port),
          }
        : undefined
    return resource(
      resourceNames.listener,
      name,
      address === undefined
        ? buildDestinationListener(name, routeName, traffic, tcp)
        : buildGatewayListener(name, address, routeName, traffic),
    )
  }

  /** Others have no certificate of the mesh, and reach an address by themselves. */
  #buildPodListener(name: string, client: ClientKind): SnapshotResource | undefined {
    const pod = client === 'sidecar' ? podDestinationOf(this.#model, name) : undefined
    return pod && resource(resourceNames.listener, name, buildPodListener(this.#model, name, pod))
  }

  #buildCluster(name: string, client: ClientKind): SnapshotResource | undefined {
    const port = parseInboundClusterName(name)
    if (port !== undefined) return resource(resourceNames.cluster, name, buildInboundCluster(port))
    const pod = client === 'sidecar' ? podDestinationOf(this.#model, name) : undefined
    if (pod !== undefined)
      return resource(resourceNames.cluster, name, buildPodCluster(this.#model, name, pod, this.#trustDomain))
    const destination = destinationOf(this.#model, name)
    const emptied = client === 'grpc' || name === invalidBackendCluster
    if (destination === undefined && !emptied) return undefined
    return resource(
      resourceNames.cluster,
      name,
      buildCluster(this.#model, name, destination, client, this.#trustDomain),
    )
  }
}

function resource<N extends MessageName>(type: N, name: string, message: Messages[N]): SnapshotResource {
  const bytes = encode(type, message)
  return { name, version: createHash('sha256').update(bytes).digest('hex').slice(0, 16), bytes }
}
