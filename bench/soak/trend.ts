/** Whether a quantity that goes up and down all the time stays where it is. Pure. */
import { type Quartiles, quartiles } from '../quartiles.ts'

export type Reading = { readonly seconds: number; readonly value: number }

export type Trend = {
  readonly spread: Quartiles
  readonly largest: number
  /** What the line through all readings (least squares) rises by from the first to the last. */
  readonly rise: number
}

/** Of at least two readings at different times; else its rise is NaN. */
export function trendOf(readings: readonly Reading[]): Trend {
  const values = readings.map(({ value }) => value)
  const middle = mean(readings.map(({ seconds }) => seconds))
  const usual = mean(values)
  let together = 0
  let square = 0
  for (const { seconds, value } of readings) {
    together += (seconds - middle) * (value - usual)
    square += (seconds - middle) ** 2
  }
  const lasted = (readings.at(-1)?.seconds ?? 0) - (readings[0]?.seconds ?? 0)
  return { spread: quartiles(values), largest: Math.max(...values), rise: (together / square) * lasted }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
