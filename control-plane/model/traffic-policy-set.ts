/** TrafficPolicies, by the Services that they name. */
import { IndexOf } from './index-of.ts'
import { keyOf, oldestFirst } from './naming.ts'
import type { ServicePort, TrafficPolicy } from './objects.ts'
import { specificity } from './policy-specificity.ts'
import { store } from './store.ts'

function servicesOf(policy: TrafficPolicy | undefined): readonly string[] {
  return policy?.targets.map((target) => keyOf(policy.namespace, target.service)) ?? []
}

export class TrafficPolicySet {
  readonly #policies = new Map<string, TrafficPolicy>()
  readonly #ofService = new IndexOf()

  /** Gives the Services that it names, or has named. */
  set(key: string, value: TrafficPolicy | undefined): ReadonlySet<string> {
    const touched = new Set([...servicesOf(this.#policies.get(key)), ...servicesOf(value)])
    store(this.#policies, key, value)
    this.#ofService.set(key, [...new Set(servicesOf(value))])
    return touched
  }

  /** Those for a service's port, the one in force first: those for this port alone, then by age. */
  inForce(serviceKey: string, port: ServicePort): readonly TrafficPolicy[] {
    const rankOf = (policy: TrafficPolicy): number => specificity(policy, serviceKey, port)
    const here = this.#of(serviceKey).filter((policy) => rankOf(policy) > 0)
    return oldestFirst(here).toSorted((a, b) => rankOf(b) - rankOf(a))
  }

  all(): Iterable<TrafficPolicy> {
    return this.#policies.values()
  }

  /** Those that name a service, on whatever port. */
  naming(serviceKey: string): readonly TrafficPolicy[] {
    return oldestFirst(this.#of(serviceKey))
  }

  #of(serviceKey: string): TrafficPolicy[] {
    return this.#ofService.sources(serviceKey).flatMap((key) => this.#policies.get(key) ?? [])
  }
}
