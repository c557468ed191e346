/** Sizes as Kubernetes writes them: 512, 64Ki, 128Mi, 1Gi. */

const factors: Readonly<Record<string, number>> = { '': 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 }

/** The number of bytes, or undefined when `text` is not a size. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d{1,12})(Ki|Mi|Gi)?$/.exec(text)
  if (match === null) return undefined
  const bytes = Number(match[1]) * (factors[match[2] ?? ''] as number)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}
