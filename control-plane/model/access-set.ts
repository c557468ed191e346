/** The objects that say who may call whom, by the namespace whose workloads they are about. */
import { weftNamespace } from '../../api/deployment.ts'
import type { AccessPolicy, TrafficTarget } from './access-policy.ts'
import { IndexOf } from './index-of.ts'
import { keyOf } from './naming.ts'
import { store } from './store.ts'

/** Whose policies may be about the mesh as a whole. */
export const meshNamespace = weftNamespace

/** Whose workloads look different: those of one namespace, or all of them. */
export type Touched = { readonly namespaces: ReadonlySet<string>; readonly mesh: boolean }

function isAboutMesh(policy: AccessPolicy | undefined): boolean {
  return policy?.namespace === meshNamespace && policy.targets.some(({ kind }) => kind === 'mesh')
}

export class AccessSet {
  readonly #policies = new Map<string, AccessPolicy>()
  readonly #targets = new Map<string, TrafficTarget>()
  readonly #policiesOfNamespace = new IndexOf()
  readonly #targetsOfNamespace = new IndexOf()
  readonly #targetsOfRoutes = new IndexOf()

  setPolicy(key: string, value: AccessPolicy | undefined): Touched {
    const before = this.#policies.get(key)
    store(this.#policies, key, value)
    this.#policiesOfNamespace.set(key, value === undefined ? [] : [value.namespace])
    return touched([before, value], isAboutMesh(before) || isAboutMesh(value))
  }

  setTarget(key: string, value: TrafficTarget | undefined): Touched {
    const before = this.#targets.get(key)
    store(this.#targets, key, value)
    this.#targetsOfNamespace.set(key, value === undefined ? [] : [value.namespace])
    const routes = value?.rules.map(({ name }) => keyOf(value.namespace, name)) ?? []
    this.#targetsOfRoutes.set(key, [...new Set(routes)])
    return touched([before, value], false)
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

  allPolicies(): Iterable<AccessPolicy> {
    return this.#policies.values()
  }

  allTargets(): Iterable<TrafficTarget> {
    return this.#targets.values()
  }
}

function touched(objects: readonly ({ readonly namespace: string } | undefined)[], mesh: boolean): Touched {
  return { namespaces: new Set(objects.flatMap((object) => object?.namespace ?? [])), mesh }
}
