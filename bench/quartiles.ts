export type Quartiles = { readonly lower: number; readonly median: number; readonly upper: number }

/** Quartiles by linear interpolation between ranks. Empty: all NaN. */
export function quartiles(values: readonly number[]): Quartiles {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number => {
    const position = (sorted.length - 1) * share
    const below = sorted[Math.floor(position)] ?? Number.NaN
    const above = sorted[Math.ceil(position)] ?? Number.NaN
    return below + (above - below) * (position - Math.floor(position))
  }
  return { lower: at(0.25), median: at(0.5), upper: at(0.75) }
}
