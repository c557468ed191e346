/**
 * This workload's own side as the disk has it. Who may call may have changed while nobody was here to be told, so that it
 * counts only once the control plane had its chance to say what is in force now: nobody is let in meanwhile.
 */
import type { Clock, Timer } from '../../core/clock.ts'
import type { StoredResource } from './last-known-good.ts'

/** What a control plane that can be reached takes, on a machine that has much else to do. */
export const presentWithinMs = 2_000

export class KeptInbound {
  #resource: StoredResource | undefined
  #timer: Timer | undefined

  /** What stays on the disk, though it is not in force yet. */
  get held(): readonly StoredResource[] {
    return this.#resource === undefined ? [] : [this.#resource]
  }

  /** Holds the resource `name` out of `all`, and calls `use` when nothing newer has come in time; gives the others. */
  hold(
    all: readonly StoredResource[],
    name: string,
    clock: Clock,
    use: (resource: StoredResource) => void,
  ): readonly StoredResource[] {
    const resource = all.find((entry) => entry.name === name)
    if (resource === undefined) return all
    this.#resource = resource
    this.#timer = clock.after(presentWithinMs, () => {
      this.drop()
      use(resource)
    })
    return all.filter((entry) => entry !== resource)
  }

  /** Something newer is in force. */
  drop(): void {
    this.#timer?.cancel()
    this.#resource = this.#timer = undefined
  }
}
