/** All HTTPRoutes and GRPCRoutes, and the grants that let them refer to other namespaces, found by what they concern. */
import { IndexOf } from './index-of.ts'
import type { BackendReference, ReferenceGrant, Route } from './route.ts'
import { keyOf, oldestFirst } from './naming.ts'

type Port = { readonly name: string; readonly port: number }

function parentsOf(route: Route | undefined): readonly string[] {
  return route?.parents.map((parent) => keyOf(parent.namespace, parent.service)) ?? []
}

/** Every Service that a route refers to, copies of requests included. */
export function referencesOf(route: Route): readonly BackendReference[] {
  return route.rules.flatMap(({ backends, filters }) => {
    const all = [...filters, ...backends.flatMap((backend) => backend.filters)]
    return [...backends, ...all.flatMap((filter) => (filter.kind === 'mirror' ? [filter.to] : []))]
  })
}

/** Whether a route is for this port of a service. */
export function isFor(route: Route, serviceKey: string, { name, port }: Port): boolean {
  return route.parents.some(
    (parent) =>
      keyOf(parent.namespace, parent.service) === serviceKey &&
      (parent.port ?? port) === port &&
      (parent.sectionName ?? name) === name,
  )
}

export class RouteSet {
  readonly #routes = new Map<string, Route>()
  readonly #grants = new Map<string, ReferenceGrant>()
  readonly #ofParent = new IndexOf()
  /** By the namespaces, not their own, that routes refer to. */
  readonly #ofNamespace = new IndexOf()
  readonly #grantsOfNamespace = new IndexOf()
  readonly #requireGrants: boolean

  /** Meshes need no grants (GEP-1294); `requireGrants` asks for them all the same. */
  constructor(requireGrants: boolean) {
    this.#requireGrants = requireGrants
  }

  /** Takes a route in, or out, by a key of its own among all kinds; tells the services whose routing looks different. */
  set(key: string, value: Route | undefined): ReadonlySet<string> {
    const touched = new Set([...parentsOf(this.#routes.get(key)), ...parentsOf(value)])
    if (value === undefined) this.#routes.delete(key)
    else this.#routes.set(key, value)
    this.#ofParent.set(key, [...new Set(parentsOf(value))])
    const foreign = value === undefined ? [] : referencesOf(value).map(({ namespace }) => namespace)
    this.#ofNamespace.set(key, [...new Set(foreign.filter((namespace) => namespace !== value?.namespace))])
    return touched
  }

  /** As `set`. */
  setGrant(key: string, value: ReferenceGrant | undefined): ReadonlySet<string> {
    const namespaces = new Set([this.#grants.get(key)?.namespace, value?.namespace])
    if (value === undefined) this.#grants.delete(key)
    else this.#grants.set(key, value)
    this.#grantsOfNamespace.set(key, value === undefined ? [] : [value.namespace])
    if (!this.#requireGrants) return new Set()
    const routes = [...namespaces].flatMap((namespace) => this.#ofNamespace.sources(namespace ?? ''))
    return new Set(routes.flatMap((route) => parentsOf(this.#routes.get(route))))
  }

  all(): Iterable<Route> {
    return this.#routes.values()
  }

  /** All routes that name a service as their parent, whoever they count for, the oldest first. */
  naming(serviceKey: string): readonly Route[] {
    return oldestFirst(this.#ofParent.sources(serviceKey).flatMap((key) => this.#routes.get(key) ?? []))
  }

  /**
   * The routes that count for clients of a namespace, the oldest first. Those of the clients' own namespace replace
   * those of the service's; no others count. Among them, one GRPCRoute beats every HTTPRoute.
   */
  inForce(serviceKey: string, port: Port, clientNamespace: string): readonly Route[] {
    const here = this.naming(serviceKey).filter((route) => isFor(route, serviceKey, port))
    const own = here.filter((route) => route.namespace === clientNamespace)
    const [producer] = serviceKey.split('/')
    const group = own.length > 0 ? own : here.filter((route) => route.namespace === producer)
    const grpc = group.filter(({ kind }) => kind === 'GRPCRoute')
    return grpc.length > 0 ? grpc : group
  }

  /** Namespaces, not the service's own, whose clients have routes of their own to it. */
  consumersOf(serviceKey: string): ReadonlySet<string> {
    const [producer] = serviceKey.split('/')
    const namespaces = new Set(this.naming(serviceKey).map((route) => route.namespace))
    namespaces.delete(producer as string)
    return namespaces
  }

  /** The services that the routes of a parent refer to. */
  backendsOf(parentKey: string): readonly string[] {
    return this.naming(parentKey)
      .flatMap(referencesOf)
      .map(({ namespace, service }) => keyOf(namespace, service))
  }

  /** Whether a route may refer to a service. */
  permits(route: Pick<Route, 'kind' | 'namespace'>, { namespace, service }: BackendReference): boolean {
    if (!this.#requireGrants || route.namespace === namespace) return true
    return this.#grantsOfNamespace.sources(namespace).some((key) => {
      const grant = this.#grants.get(key)
      const from = grant?.from.some((one) => one.kind === route.kind && one.namespace === route.namespace)
      if (grant === undefined || from !== true) return false
      return grant.services === undefined || grant.services.includes(service)
    })
  }
}
