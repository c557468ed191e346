/** Durations as people write them: `250ms`, `1.5s`, `10m`, `24h`, `1h30m`. */

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

/** Milliseconds, or undefined if the text is not a duration. `0` needs no unit; anything else does. */
export function parseDurationMs(text: string): number | undefined {
  if (text === '0') return 0
  if (!/^(?:\d{1,12}(?:\.\d{1,6})?(?:ms|[smhd]))+$/.test(text)) return undefined
  let totalMs = 0
  for (const part of text.matchAll(/([\d.]+)(ms|[smhd])/g)) {
    totalMs += Number(part[1]) * (UNIT_MS.get(part[2] ?? '') ?? Number.NaN)
  }
  return Number.isSafeInteger(Math.round(totalMs)) ? totalMs : undefined
}

/** The shortest exact form of whole milliseconds, such as `1h30m` or `250ms`. */
export function formatDuration(ms: number): string {
  let restMs = Math.round(ms)
  if (restMs <= 0) return '0'
  let text = ''
  for (const [unit, unitMs] of [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const count = Math.floor(restMs / unitMs)
    if (count > 0) text += `${count}${unit}`
    restMs -= count * unitMs
  }
  return text
}
