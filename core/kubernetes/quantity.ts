/** Kubernetes quantities as whole thousandths: `1` is 1000, `500m` is 500, `1.5` is 1500, `2k` is 2000000. */

/** What a suffix multiplies by: powers of ten, or of two. */
const tens: ReadonlyMap<string, number> = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
])
const twos: ReadonlyMap<string, bigint> = new Map(
  ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map((suffix, i) => [suffix, 1n << BigInt(10 * (i + 1))]),
)

const form =
  /^\+?(?:([0-9]{1,30})(?:\.([0-9]{0,30}))?|\.([0-9]{1,30}))(?:[eE]([+-]?[0-9]{1,2})|([A-Za-z]{0,2}))$/

/** undefined for what is no quantity, is negative, is no whole number of thousandths, or is beyond 2^53 of them. */
export function parseQuantityMilli(text: string): number | undefined {
  const match = form.exec(text.trim())
  if (match === null) return undefined
  const [, whole = '', after, alone, exponent, suffix = ''] = match
  const fraction = after ?? alone ?? ''
  const two = twos.get(suffix)
  const ten = exponent === undefined ? (two === undefined ? tens.get(suffix) : 0) : Number(exponent)
  if (ten === undefined) return undefined
  // Whole numbers and not floating ones: 1.1 * 1000 is not 1100.
  const digits = BigInt(whole + fraction) * (two ?? 1n)
  const power = ten + 3 - fraction.length
  const divisor = 10n ** BigInt(Math.max(0, -power))
  if (digits % divisor !== 0n) return undefined
  const milli = Number((digits / divisor) * 10n ** BigInt(Math.max(0, power)))
  return Number.isSafeInteger(milli) ? milli : undefined
}

/** The shortest quantity of so many thousandths: `90`, `500m`, `1500m`. */
export function formatQuantityMilli(milli: number): string {
  return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`
}
