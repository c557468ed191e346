/** The nodes of a mesh, and the workloads that run on each. */
import { IndexOf } from './index-of.ts'
import type { Node, Workload } from './objects.ts'

export class NodeSet {
  readonly #nodes = new Map<string, Node>()
  readonly #workloadsOf = new IndexOf()

  /** Gives the workloads that are on it. */
  set(key: string, value: Node | undefined): readonly string[] {
    if (value === undefined) this.#nodes.delete(key)
    else this.#nodes.set(key, value)
    return this.#workloadsOf.sources(key)
  }

  /** Undefined: the workload is gone, or on no node. */
  place(workloadKey: string, node: string | undefined): void {
    this.#workloadsOf.set(workloadKey, node === undefined ? [] : [node])
  }

  /** Where a workload is; empty: nobody has said. */
  zoneOf({ node }: Workload): string {
    return node === undefined ? '' : (this.#nodes.get(node)?.zone ?? '')
  }
}
