/** The shares of a split over the last minutes, as its chart shows them. */
import type { SplitFigures } from './split-figures.ts'

export type ShareSample = {
  readonly atMs: number
  /** By backend: what should be, and what was observed (null: no request). */
  readonly shares: ReadonlyMap<string, { readonly configured: number; readonly observed: number | null }>
}

export const historyMs = 180_000

export class ShareHistory {
  readonly #samples = new Map<string, readonly ShareSample[]>()

  /** Takes in what is seen now; once for each moment. */
  add(splits: readonly SplitFigures[], atMs: number): void {
    for (const split of splits) {
      const key = keyOf(split)
      const before = this.#samples.get(key) ?? []
      if ((before.at(-1)?.atMs ?? 0) >= atMs) continue
      const shares = new Map(
        split.backends.map((backend) => [
          backend.key,
          { configured: backend.configured, observed: backend.observed },
        ]),
      )
      const kept = before.filter((sample) => sample.atMs > atMs - historyMs)
      this.#samples.set(key, [...kept, { atMs, shares }])
    }
  }

  of(split: SplitFigures): readonly ShareSample[] {
    return this.#samples.get(keyOf(split)) ?? []
  }
}

function keyOf({ object, port }: SplitFigures): string {
  return `${object} ${port}`
}
