/** The pieces that bytes arrive in. */
import fc from 'fast-check'

const at = fc.nat({ max: 5000 })

/** Where a text is cut into pieces. */
export const cuts: fc.Arbitrary<readonly number[]> = fc.oneof(
  { weight: 1, arbitrary: fc.constant([]) },
  { weight: 2, arbitrary: fc.array(at, { minLength: 1, maxLength: 4 }) },
)

export function cut(text: string, places: readonly number[]): readonly string[] {
  const sorted = places.map((n) => n % (text.length + 1)).toSorted((a, b) => a - b)
  const pieces: string[] = []
  let from = 0
  for (const place of [...sorted, text.length]) {
    if (place > from) pieces.push(text.slice(from, place))
    from = place
  }
  return pieces
}
