/** Weights as v1alpha1 writes them (quantities) and as the later versions do (whole numbers). Pure. */
import { parseQuantityMilli } from '../../core/kubernetes/quantity.ts'

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

/** A weight in thousandths; undefined for what is none. */
function milliOf(weight: unknown): number | undefined {
  return typeof weight === 'string' || typeof weight === 'number'
    ? parseQuantityMilli(String(weight))
    : undefined
}

/**
 * The same weights as whole numbers: as they are where all are whole, else in thousandths divided by what all of these have
 * in common, so that their ratios stay exact (`500m` and `1` are 1 and 2). undefined when one of them is no weight.
 */
export function wholeWeights(weights: readonly unknown[]): readonly number[] | undefined {
  const millis = weights.map(milliOf)
  if (!millis.every((milli) => milli !== undefined)) return undefined
  const divisor = millis.every((milli) => milli % 1000 === 0) ? 1000 : millis.reduce(greatestCommonDivisor, 0)
  return millis.map((milli) => milli / divisor)
}

/** A whole number as a quantity; what is none stays as it is. */
export function quantityOf(weight: unknown): unknown {
  return Number.isSafeInteger(weight) ? String(weight) : weight
}
