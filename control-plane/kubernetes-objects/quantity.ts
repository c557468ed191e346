/** Kubernetes quantities as whole thousandths: `1` is 1000, `500m` is 500, `1.5` is 1500, `2k` is 2000000. */

const suffixMilli: Readonly<Record<string, number>> = { m: 1, '': 1000, k: 1e6, M: 1e9 }

/** undefined for what is no quantity, is negative, or is no whole number of thousandths. */
export function parseQuantityMilli(text: string): number | undefined {
  const match = /^\+?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(m|k|M)?$/.exec(text.trim())
  if (match === null) return undefined
  const milli = Number(match[1]) * (suffixMilli[match[2] ?? ''] as number)
  const whole = Math.round(milli)
  return Math.abs(milli - whole) < 1e-6 && whole <= Number.MAX_SAFE_INTEGER ? whole : undefined
}
