/** The objects that say who may call whom, by the namespace whose workloads they are about. */
import { weftNamespace } from '../../api/deployment.ts'
import type { AccessPolicy, IdentityBinding, IdentityReference, TrafficTarget } from './access-policy.ts'
import { boundClients } from './identity-binding.ts'
import { IndexOf } from './index-of.ts'
import { keyOf } from './naming.ts'
import type { Change, Workload } from './objects.ts'
import { store } from './store.ts'

/** Whose policies may be about the mesh as a whole. */
export const meshNamespace = weftNamespace

export type AccessChange = Extract<
  Change,
  { readonly kind: 'accessPolicy' | 'trafficTarget' | 'identityBinding' }
>

/** Whose workloads look different: those of one namespace, or all of them. */
export type Touched = { readonly namespaces: ReadonlySet<string>; readonly mesh: boolean }

function isAboutMesh(policy: AccessPolicy | undefined): boolean {
  return policy?.namespace === meshNamespace && policy.targets.some(({ kind }) => kind === 'mesh')
}

function bindingsOf(target: TrafficTarget | undefined): readonly IdentityReference[] {
  const named = target === undefined ? [] : [target.destination, ...target.sources]
  return named.filter(({ kind }) => kind === 'IdentityBinding')
}

export class AccessSet {
  /** Of the mesh's own identities. */
  readonly trustDomain: string
  readonly #policies = new Map<string, AccessPolicy>()
  readonly #targets = new Map<string, TrafficTarget>()
  readonly #bindings = new Map<string, IdentityBinding>()
  /** Whom those with labels meant when somebody looked last, as text. */
  readonly #bound = new Map<string, string>()
  readonly #policiesOfNamespace = new IndexOf()
  readonly #targetsOfNamespace = new IndexOf()
  readonly #targetsOfRoutes = new IndexOf()
  readonly #targetsOfBinding = new IndexOf()
  /** By the namespaces of the bindings that they name, whether these are there or not. */
  readonly #targetsBoundIn = new IndexOf()
  readonly #bindingsOfNamespace = new IndexOf()

  constructor(trustDomain: string) {
    this.trustDomain = trustDomain
  }

  set(change: AccessChange): Touched {
    switch (change.kind) {
      case 'accessPolicy':
        return this.#setPolicy(change.key, change.value)
      case 'trafficTarget':
        return this.#setTarget(change.key, change.value)
      case 'identityBinding':
        return this.#setBinding(change.key, change.value)
    }
  }

  #setPolicy(key: string, value: AccessPolicy | undefined): Touched {
    const before = this.#policies.get(key)
    store(this.#policies, key, value)
    this.#policiesOfNamespace.set(key, value === undefined ? [] : [value.namespace])
    return touched([before, value], isAboutMesh(before) || isAboutMesh(value))
  }

  #setTarget(key: string, value: TrafficTarget | undefined): Touched {
    const before = this.#targets.get(key)
    store(this.#targets, key, value)
    this.#targetsOfNamespace.set(key, value === undefined ? [] : [value.namespace])
    const routes = value?.rules.map(({ name }) => keyOf(value.namespace, name)) ?? []
    this.#targetsOfRoutes.set(key, [...new Set(routes)])
    const bindings = bindingsOf(value)
    this.#targetsOfBinding.set(key, [
      ...new Set(bindings.map(({ namespace, name }) => keyOf(namespace, name))),
    ])
    this.#targetsBoundIn.set(key, [...new Set(bindings.map(({ namespace }) => namespace))])
    return touched([before, value], false)
  }

  #setBinding(key: string, value: IdentityBinding | undefined): Touched {
    store(this.#bindings, key, value)
    this.#bound.delete(key)
    this.#bindingsOfNamespace.set(key, value === undefined ? [] : [value.namespace])
    return touched(this.#targetsBoundBy(key), false)
  }

  /** Whose workloads look different when some pod of a namespace does: bindings find clients by their labels. */
  podChanged(namespace: string, pods: () => readonly Workload[]): Touched {
    const changed = this.#bindingsOfNamespace.sources(namespace).filter((key) => this.#rebind(key, pods))
    return touched(
      changed.flatMap((key) => this.#targetsBoundBy(key)),
      false,
    )
  }

  /** Whose workloads look different when an HTTPRouteGroup or TCPRoute has changed. */
  usersOf(routesKey: string): Touched {
    return touched(
      this.#targetsOfRoutes.sources(routesKey).map((key) => this.#targets.get(key)),
      false,
    )
  }

  /** Of one namespace, in the order of their names. */
  policiesIn(namespace: string): readonly AccessPolicy[] {
    const keys = this.#policiesOfNamespace.sources(namespace).toSorted()
    return keys.flatMap((key) => this.#policies.get(key) ?? [])
  }

  targetsIn(namespace: string): readonly TrafficTarget[] {
    const keys = this.#targetsOfNamespace.sources(namespace).toSorted()
    return keys.flatMap((key) => this.#targets.get(key) ?? [])
  }

  binding({ namespace, name }: Pick<IdentityBinding, 'namespace' | 'name'>): IdentityBinding | undefined {
    return this.#bindings.get(keyOf(namespace, name))
  }

  bindingsIn(namespace: string): readonly IdentityBinding[] {
    const keys = this.#bindingsOfNamespace.sources(namespace).toSorted()
    return keys.flatMap((key) => this.#bindings.get(key) ?? [])
  }

  /** Of whatever namespace, by a binding of this one. */
  targetsBoundIn(namespace: string): readonly TrafficTarget[] {
    return this.#targetsBoundIn.sources(namespace).flatMap((key) => this.#targets.get(key) ?? [])
  }

  allBindings(): Iterable<IdentityBinding> {
    return this.#bindings.values()
  }

  allPolicies(): Iterable<AccessPolicy> {
    return this.#policies.values()
  }

  allTargets(): Iterable<TrafficTarget> {
    return this.#targets.values()
  }

  #targetsBoundBy(bindingKey: string): readonly TrafficTarget[] {
    return this.#targetsOfBinding.sources(bindingKey).flatMap((key) => this.#targets.get(key) ?? [])
  }

  /** Whether it means others than before. */
  #rebind(key: string, pods: () => readonly Workload[]): boolean {
    const binding = this.#bindings.get(key)
    if (binding === undefined || binding.podLabels.length === 0) return false
    const text = JSON.stringify(boundClients(binding, pods(), this.trustDomain))
    if (this.#bound.get(key) === text) return false
    this.#bound.set(key, text)
    return true
  }
}

function touched(objects: readonly ({ readonly namespace: string } | undefined)[], mesh: boolean): Touched {
  return { namespaces: new Set(objects.flatMap((object) => object?.namespace ?? [])), mesh }
}
