/** The mesh as it is known now. Applying a change costs what the change touches, however large the mesh is. */
import { includesPort, type PortRange } from '../../core/port-ranges.ts'
import { AccessSet, type Touched } from './access-set.ts'
import type { Dirty } from './dirty.ts'
import { type ListedEndpoint, type ServiceEndpoint, usableEndpoints } from './endpoints.ts'
import { IndexOf } from './index-of.ts'
import { bypassedPortsOf, opaquePortsOf } from './inherited.ts'
import type {
  Change,
  EndpointSlice,
  Namespace,
  RouteGroup,
  Service,
  ServicePort,
  Split,
  TcpRoute,
  TrafficPolicy,
  Workload,
} from './objects.ts'
import { keyOf, oldestFirst, serviceKeyOfHost } from './naming.ts'
import { reachedAnew } from './reached-anew.ts'
import { NodeSet } from './node-set.ts'
import type { BackendReference, Route } from './route.ts'
import { RouteSet } from './route-set.ts'
import { store } from './store.ts'
import { TrafficPolicySet } from './traffic-policy-set.ts'
import { WorkloadSet } from './workload-set.ts'

export { keyOf } from './naming.ts'

/** A service's port, and the port of a workload that it leads to. */
export type ServedPort = {
  readonly service: Service
  readonly port: ServicePort
  readonly targetPort: number
}

export class MeshModel {
  readonly #namespaces = new Map<string, Namespace>()
  readonly #services = new Map<string, Service>()
  readonly #slices = new Map<string, EndpointSlice>()
  readonly nodes = new NodeSet()
  readonly access: AccessSet
  readonly traffic = new TrafficPolicySet()
  readonly #workloads = new WorkloadSet()
  readonly #splits = new Map<string, Split>()
  readonly #routes: RouteSet
  readonly #routeGroups = new Map<string, RouteGroup>()
  readonly #tcpRoutes = new Map<string, TcpRoute>()
  readonly #slicesOfService = new IndexOf()
  readonly #slicesOfWorkload = new IndexOf()
  readonly #servicesOfNamespace = new IndexOf()
  readonly #splitsOfApex = new IndexOf()
  /** Apexes whose routing depends on a service. */
  readonly #apexesOfBackend = new IndexOf()
  readonly #apexesOfGroup = new IndexOf()
  readonly #serviceOfAddress = new IndexOf()
  /** Services that are another name of a Service. */
  readonly #aliasesOfService = new IndexOf()

  constructor(options: { readonly requireGrants?: boolean; readonly trustDomain?: string } = {}) {
    this.#routes = new RouteSet(options.requireGrants === true)
    this.access = new AccessSet(options.trustDomain ?? 'cluster.local')
  }

  /** Takes the changes in and tells what they touch. */
  apply(changes: readonly Change[]): Dirty {
    const dirty: Dirty = { services: new Set(), workloads: new Set(), addresses: new Set(), routing: false }
    for (const change of changes) this.#applyOne(change, dirty)
    // A set that grows while it is walked through: aliases of aliases too.
    for (const key of dirty.services)
      for (const alias of this.#aliasesOfService.sources(key)) dirty.services.add(alias)
    return dirty
  }

  service(key: string): Service | undefined {
    return this.#services.get(key)
  }

  services(): Iterable<[string, Service]> {
    return this.#services
  }

  serviceByAddress(address: string): Service | undefined {
    const [key] = this.#serviceOfAddress.sources(address)
    return key === undefined ? undefined : this.#services.get(key)
  }

  workload(key: string): Workload | undefined {
    return this.#workloads.get(key)
  }

  readonly allWorkloads = (): Iterable<Workload> => this.#workloads.values()

  workloadByAddress(address: string): Workload | undefined {
    return this.#workloads.byAddress(address)
  }

  /** A workload has a sidecar: it says so, or its namespace does, or it names where its sidecar listens. */
  isMeshed(workload: Workload): boolean {
    return (
      workload.inbound.length > 0 ||
      (workload.inject ?? this.#namespaces.get(workload.namespace)?.inject ?? false)
    )
  }

  /** Whether a port that a Service lists for a workload speaks mesh TLS; a forward may stand before the sidecar's own. */
  takesMeshTls(workload: Workload, port: number): boolean {
    return (
      this.isMeshed(workload) &&
      !includesPort(bypassedPortsOf(workload, this.#namespaces.get(workload.namespace)), port)
    )
  }

  /** What annotations say of who may connect to a workload. */
  inboundPolicies(workload: Workload): Record<'ofWorkload' | 'ofNamespace', Workload['inboundPolicy']> {
    const ofNamespace = this.#namespaces.get(workload.namespace)?.inboundPolicy
    return { ofWorkload: workload.inboundPolicy, ofNamespace }
  }

  workloadsIn(namespace: string): readonly Workload[] {
    return this.#workloads.in(namespace)
  }

  /** The ports whose bytes are nobody's business, of a service or a workload. */
  opaquePorts(of: Service | Workload): readonly PortRange[] {
    return opaquePortsOf(of, this.#namespaces.get(of.namespace))
  }

  /** The endpoints that may be sent to, of one port of a service, in a stable order. */
  endpoints(serviceKey: string, portName: string): readonly ServiceEndpoint[] {
    const listed = this.slices(serviceKey).flatMap((slice) => this.#sliceEndpoints(slice, portName))
    return usableEndpoints(listed, this.#services.get(serviceKey)?.clusterIps[0])
  }

  /** What a service's slices list, whoever is ready; in a stable order. */
  slices(serviceKey: string): readonly EndpointSlice[] {
    const keys = this.#slicesOfService.sources(serviceKey).toSorted()
    return keys.flatMap((key) => this.#slices.get(key) ?? [])
  }

  /** The splits for an apex, the one in force first. */
  splits(apexKey: string): readonly Split[] {
    return oldestFirst(this.#splitsOfApex.sources(apexKey).flatMap((key) => this.#splits.get(key) ?? []))
  }

  allSplits(): Iterable<Split> {
    return this.#splits.values()
  }

  routeGroup(key: string): RouteGroup | undefined {
    return this.#routeGroups.get(key)
  }

  tcpRoute(key: string): TcpRoute | undefined {
    return this.#tcpRoutes.get(key)
  }

  /** The routes that count for clients of a namespace on a service's port, the oldest first. */
  routes(serviceKey: string, port: number, clientNamespace = ''): readonly Route[] {
    const name = this.#services.get(serviceKey)?.ports.find((other) => other.port === port)?.name ?? ''
    return this.#routes.inForce(serviceKey, { name, port }, clientNamespace)
  }

  /** Every route that names a service, whoever it counts for. */
  routesNaming(serviceKey: string): readonly Route[] {
    return this.#routes.naming(serviceKey)
  }

  allRoutes(): Iterable<Route> {
    return this.#routes.all()
  }

  /** Namespaces whose clients have routes of their own to a service. */
  routeConsumers(serviceKey: string): ReadonlySet<string> {
    return this.#routes.consumersOf(serviceKey)
  }

  /** Whether a route may refer to a service. */
  permitsReference(route: Route, to: BackendReference): boolean {
    return this.#routes.permits(route, to)
  }

  /** The services' ports that lead to a workload's own ports. */
  servedBy(workloadKey: string): readonly ServedPort[] {
    return this.#slicesOfWorkload.sources(workloadKey).flatMap((sliceKey) => {
      const slice = this.#slices.get(sliceKey)
      const service = slice === undefined ? undefined : this.#services.get(slice.service)
      return (slice?.ports ?? []).flatMap(({ name, port: targetPort }) => {
        const port = service?.ports.find((candidate) => candidate.name === name)
        return service === undefined || port === undefined ? [] : [{ service, port, targetPort }]
      })
    })
  }

  #sliceEndpoints(slice: EndpointSlice | undefined, portName: string): ListedEndpoint[] {
    const port = slice?.ports.find((candidate) => candidate.name === portName)?.port
    if (slice === undefined || port === undefined) return []
    return slice.endpoints.map((endpoint) => {
      const workload = endpoint.workload === undefined ? undefined : this.#workloads.get(endpoint.workload)
      const meshed = workload !== undefined && this.takesMeshTls(workload, port)
      return { ...endpoint, port, workload, meshed }
    })
  }

  #applyOne(change: Change, dirty: Dirty): void {
    switch (change.kind) {
      case 'namespace':
        store(this.#namespaces, change.key, change.value)
        for (const workload of this.#workloads.keysIn(change.key)) this.#touchWorkload(workload, dirty)
        for (const service of this.#servicesOfNamespace.sources(change.key)) dirty.services.add(service)
        dirty.routing = true
        return
      case 'service':
        this.#applyService(change.key, change.value, dirty)
        return
      case 'slice':
        this.#applySlice(change.key, change.value, dirty)
        return
      case 'node':
        for (const workload of this.nodes.set(change.key, change.value)) dirty.workloads.add(workload)
        return
      case 'workload':
        this.#applyWorkload(change.key, change.value, dirty)
        return
      case 'split':
        this.#applySplit(change.key, change.value, dirty)
        return
      case 'route':
      case 'grpcRoute':
        this.#touchRouting(this.#routes.set(`${change.kind} ${change.key}`, change.value), dirty)
        return
      case 'grant':
        this.#touchRouting(this.#routes.setGrant(change.key, change.value), dirty)
        return
      case 'policy':
        this.#applyPolicy(change.key, change.value, dirty)
        return
      case 'routeGroup':
        store(this.#routeGroups, change.key, change.value)
        for (const apex of this.#apexesOfGroup.sources(change.key)) dirty.services.add(apex)
        this.#touchAccess(this.access.usersOf(change.key), dirty)
        dirty.routing = true
        return
      case 'tcpRoute':
        store(this.#tcpRoutes, change.key, change.value)
        this.#touchAccess(this.access.usersOf(change.key), dirty)
        return
      case 'accessPolicy':
      case 'trafficTarget':
      case 'identityBinding':
        this.#touchAccess(this.access.set(change), dirty)
        return
    }
  }

  #applyWorkload(key: string, value: Workload | undefined, dirty: Dirty): void {
    const namespace = (value ?? this.#workloads.get(key))?.namespace ?? ''
    this.#touchAddresses(key, dirty)
    this.nodes.place(key, value?.node)
    this.#workloads.set(key, value)
    this.#touchWorkload(key, dirty)
    const podsIn = (): readonly Workload[] => this.workloadsIn(namespace)
    this.#touchAccess(this.access.podChanged(namespace, podsIn), dirty)
    dirty.routing = true
  }

  #applyService(key: string, value: Service | undefined, dirty: Dirty): void {
    for (const address of this.#services.get(key)?.clusterIps ?? []) dirty.addresses.add(address)
    for (const address of value?.clusterIps ?? []) dirty.addresses.add(address)
    store(this.#services, key, value)
    this.#serviceOfAddress.set(key, value?.clusterIps ?? [])
    const other = value?.externalName === undefined ? undefined : serviceKeyOfHost(value.externalName)
    this.#aliasesOfService.set(key, other === undefined ? [] : [other])
    this.#servicesOfNamespace.set(key, value === undefined ? [] : [value.namespace])
    dirty.services.add(key)
    this.#touchWorkloadsOf(key, dirty)
    for (const apex of this.#apexesOfBackend.sources(key)) dirty.services.add(apex)
    dirty.routing = true
  }

  #applySlice(key: string, value: EndpointSlice | undefined, dirty: Dirty): void {
    const previous = this.#slices.get(key)
    if (previous !== undefined) this.#touchEndpoints(previous.service, dirty)
    for (const workload of reachedAnew(previous, value)) dirty.workloads.add(workload)
    store(this.#slices, key, value)
    this.#slicesOfService.set(key, value === undefined ? [] : [value.service])
    this.#slicesOfWorkload.set(key, value?.endpoints.flatMap((endpoint) => endpoint.workload ?? []) ?? [])
    if (value !== undefined) this.#touchEndpoints(value.service, dirty)
  }

  /** Also those who send to the service: for some clients a backend without endpoints changes the weights. */
  #touchEndpoints(service: string, dirty: Dirty): void {
    dirty.services.add(service)
    for (const apex of this.#apexesOfBackend.sources(service)) dirty.services.add(apex)
  }

  #applySplit(key: string, value: Split | undefined, dirty: Dirty): void {
    const previous = this.#splits.get(key)
    store(this.#splits, key, value)
    for (const split of [previous, value])
      if (split !== undefined) dirty.services.add(keyOf(split.namespace, split.apex))
    this.#splitsOfApex.set(key, value === undefined ? [] : [keyOf(value.namespace, value.apex)])
    if (previous !== undefined) this.#indexBackends(keyOf(previous.namespace, previous.apex))
    if (value !== undefined) this.#indexBackends(keyOf(value.namespace, value.apex))
    dirty.routing = true
  }

  /** The routing of `parents` looks different. */
  #touchRouting(parents: ReadonlySet<string>, dirty: Dirty): void {
    for (const parent of parents) {
      dirty.services.add(parent)
      this.#indexBackends(parent)
    }
    dirty.routing = true
  }

  #applyPolicy(key: string, value: TrafficPolicy | undefined, dirty: Dirty): void {
    for (const service of this.traffic.set(key, value)) {
      this.#touchEndpoints(service, dirty)
      this.#touchWorkloadsOf(service, dirty)
    }
    dirty.routing = true
  }

  /** What a policy asks of the receiving side is told to the workloads behind the service. */
  #touchWorkloadsOf(service: string, dirty: Dirty): void {
    for (const slice of this.#slicesOfService.sources(service))
      for (const { workload } of this.#slices.get(slice)?.endpoints ?? [])
        if (workload !== undefined) dirty.workloads.add(workload)
  }

  #indexBackends(apexKey: string): void {
    const splits = this.splits(apexKey)
    const ofSplits = splits.flatMap((split) =>
      split.backends.map((backend) => keyOf(split.namespace, backend.service)),
    )
    const groups = splits.flatMap((split) => split.matches.map((group) => keyOf(split.namespace, group)))
    this.#apexesOfGroup.set(apexKey, [...new Set(groups)])
    const ofRoutes = this.#routes.backendsOf(apexKey)
    this.#apexesOfBackend.set(apexKey, [...new Set([...ofSplits, ...ofRoutes])])
  }

  /** Who may call it is told to a workload alone; that they are few is not worth finding out. */
  #touchAccess({ namespaces, mesh }: Touched, dirty: Dirty): void {
    const all = mesh ? [...this.#workloads.keys()] : []
    const own = [...namespaces].flatMap((namespace) => this.#workloads.keysIn(namespace))
    for (const workload of [...all, ...own]) dirty.workloads.add(workload)
    dirty.routing = true
  }

  #touchAddresses(workload: string, dirty: Dirty): void {
    for (const address of this.#workloads.get(workload)?.addresses ?? []) dirty.addresses.add(address)
  }

  #touchWorkload(key: string, dirty: Dirty): void {
    dirty.workloads.add(key)
    this.#touchAddresses(key, dirty)
    for (const slice of this.#slicesOfWorkload.sources(key)) {
      const service = this.#slices.get(slice)?.service
      if (service !== undefined) dirty.services.add(service)
    }
  }
}
