/** Chooses one of several by weight. Pure but for the random number, which tests give. */

export type Weighted<T> = { readonly item: T; readonly weight: number }

/**
 * A chooser for fixed weights. One that is not `available` gives its share to the others, in proportion to their
 * weights; undefined when none is left. Changing weights means making another chooser: it holds no state.
 */
export function makeSplit<T>(
  choices: readonly Weighted<T>[],
  available: (item: T) => boolean,
  random: () => number = Math.random,
): () => T | undefined {
  const live = choices.filter((choice) => choice.weight > 0)
  const total = live.reduce((sum, choice) => sum + choice.weight, 0)
  const [only] = live
  if (live.length === 1 && only !== undefined) return () => (available(only.item) ? only.item : undefined)
  return function choose() {
    const first = pickAt(live, random() * total)
    if (first === undefined || available(first)) return first
    const left = live.filter((choice) => available(choice.item))
    return pickAt(left, random() * left.reduce((sum, choice) => sum + choice.weight, 0))
  }
}

function pickAt<T>(choices: readonly Weighted<T>[], point: number): T | undefined {
  let rest = point
  for (const choice of choices) {
    rest -= choice.weight
    if (rest < 0) return choice.item
  }
  return choices.at(-1)?.item
}
