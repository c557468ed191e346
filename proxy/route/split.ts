/**
 * Chooses one of several by weight, at random: each request for itself, so that no share depends on how often weights
 * change, and no two sidecars fall into step, as those do that take turns. Pure but for the random number.
 */

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
    let rest = random() * total
    for (const { item, weight } of live) {
      rest -= weight
      if (rest < 0) return available(item) ? item : chooseOfRest(live, available, random)
    }
    return undefined
  }
}

function chooseOfRest<T>(
  live: readonly Weighted<T>[],
  available: (item: T) => boolean,
  random: () => number,
): T | undefined {
  let total = 0
  for (const { item, weight } of live) if (available(item)) total += weight
  let rest = random() * total
  for (const { item, weight } of live) {
    if (!available(item)) continue
    rest -= weight
    if (rest < 0) return item
  }
  return undefined
}
