/** Workloads, by their key, their namespace and their addresses. */
import { IndexOf } from './index-of.ts'
import type { Workload } from './objects.ts'
import { store } from './store.ts'

export class WorkloadSet {
  readonly #workloads = new Map<string, Workload>()
  readonly #ofNamespace = new IndexOf()
  readonly #ofAddress = new IndexOf()

  set(key: string, value: Workload | undefined): void {
    store(this.#workloads, key, value)
    this.#ofAddress.set(key, value?.addresses ?? [])
    this.#ofNamespace.set(key, value === undefined ? [] : [value.namespace])
  }

  get(key: string): Workload | undefined {
    return this.#workloads.get(key)
  }

  byAddress(address: string): Workload | undefined {
    const [key] = this.#ofAddress.sources(address)
    return key === undefined ? undefined : this.#workloads.get(key)
  }

  keysIn(namespace: string): readonly string[] {
    return this.#ofNamespace.sources(namespace)
  }

  in(namespace: string): readonly Workload[] {
    return this.keysIn(namespace).flatMap((key) => this.#workloads.get(key) ?? [])
  }

  keys(): Iterable<string> {
    return this.#workloads.keys()
  }

  values(): Iterable<Workload> {
    return this.#workloads.values()
  }
}
