/** Kubernetes quantities as whole thousandths: `1` is 1000, `500m` is 500, `1.5` is 1500, `2k` is 2000000. */

/** How many decimal places of the number are thousandths or more. */
const places: Readonly<Record<string, number>> = { m: 0, '': 3, k: 6, M: 9 }

/** undefined for what is no quantity, is negative, or is no whole number of thousandths. */
export function parseQuantityMilli(text: string): number | undefined {
  const match = /^\+?(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(m|k|M)?$/.exec(text.trim())
  if (match === null) return undefined
  const [, whole = '', after, alone, suffix = ''] = match
  const fraction = after ?? alone ?? ''
  const kept = places[suffix] as number
  if (/[1-9]/.test(fraction.slice(kept))) return undefined
  // Digits and not arithmetic: 1.1 * 1000 is not 1100.
  const milli = Number(whole + fraction.slice(0, kept).padEnd(kept, '0'))
  return Number.isSafeInteger(milli) ? milli : undefined
}
