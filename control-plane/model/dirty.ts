/** Which services (by key) and workloads (by key) look different than before; `routing` when more than endpoints changed. */
export type Dirty = {
  readonly services: Set<string>
  readonly workloads: Set<string>
  readonly addresses: Set<string>
  routing: boolean
}
